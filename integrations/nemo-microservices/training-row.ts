import { RejectedError } from '../../domain/errors.ts';
import { isJsonObject, type Json, jsonProblem } from '../../domain/json.ts';

/**
 * A row of OpenAI's fine-tuning format as Customizer reads it: tool arguments are objects there, and beside calls
 * the content is empty, not null. `line` is for errors: a row that cannot be read is refused before it is uploaded.
 */
export function toCustomizerRow(text: string, line: number): string {
  const row = parse(text, line);
  const messages = isJsonObject(row) ? row['messages'] : undefined;
  if (!isJsonObject(row) || !Array.isArray(messages)) throw refused(line, 'it has no messages');
  const last = messages.at(-1) ?? null;
  if (!isJsonObject(last) || last['role'] !== 'assistant') throw refused(line, 'it has no answer to learn');
  return JSON.stringify({ ...row, messages: messages.map((message) => toMessage(message, line)) });
}

function toMessage(message: Json, line: number): Json {
  if (!isJsonObject(message)) throw refused(line, 'a message is not an object');
  const { tool_calls: calls } = message;
  if (!Array.isArray(calls)) return message;
  return {
    ...message,
    content: message['content'] ?? '',
    tool_calls: calls.map((call) => {
      const called = isJsonObject(call) ? call['function'] : undefined;
      if (!isJsonObject(call) || !isJsonObject(called)) throw refused(line, 'a tool call has no function');
      const { arguments: args = null } = called;
      return {
        ...call,
        function: { ...called, arguments: typeof args === 'string' ? parse(args, line) : args },
      };
    }),
  };
}

function parse(text: string, line: number): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw refused(line, jsonProblem(error));
  }
}

function refused(line: number, why: string): RejectedError {
  return new RejectedError(`The training rows cannot be used: line ${line}: ${why}.`, {
    code: 'invalid_training_file',
  });
}
