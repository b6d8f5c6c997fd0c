import { isJsonObject, type JsonObject, jsonProblem } from '../json.ts';
import { parseRecord } from '../records/parse.ts';
import { type ImportedRow, type Importer, type ImportOptions, rowTimestamp } from './importer.ts';

/** One JSON object per line: logged calls, or fine-tuning rows. Blank lines are skipped. */
export const jsonl: Importer = {
  description: 'JSON Lines: records {request, response, …}, or rows {messages, tools?} ending in the answer',
  example: 'calls.jsonl --format jsonl --workload support --client web',

  async *read(source, options) {
    let line = 0;
    for await (const text of source.lines()) {
      line += 1;
      const content = line === 1 ? text.replace(/^\uFEFF/, '') : text;
      if (content.trim() !== '') yield readLine(content, line, options);
    }
  },
};

function readLine(text: string, line: number, options: ImportOptions): ImportedRow {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { line, reason: 'invalid_json', detail: jsonProblem(error) };
  }
  const record = isTrainingRow(value) ? fromTrainingRow(value) : { ok: true as const, value };
  if (!record.ok) return { line, reason: record.reason, detail: record.detail };
  const parsed = parseRecord(record.value, {
    workloadId: options.workloadId,
    clientId: options.clientId,
    timestamp: rowTimestamp(line),
  });
  if (parsed.ok) return { line, record: parsed.record };
  return { line, reason: parsed.reason, detail: parsed.detail };
}

interface TrainingRow extends JsonObject {
  messages: JsonObject[];
}

function isTrainingRow(value: unknown): value is TrainingRow {
  return isJsonObject(value) && !('request' in value) && Array.isArray(value.messages);
}

type FromRow = { ok: true; value: JsonObject } | { ok: false; reason: string; detail: string };

/** `{messages, tools?}`: the last message is the answer, what stands before it was the request. */
function fromTrainingRow(row: TrainingRow): FromRow {
  const { messages, tools, ...rest } = row;
  const answer = messages.at(-1);
  if (!isJsonObject(answer) || answer.role !== 'assistant') {
    return {
      ok: false,
      reason: 'no_answer',
      detail: 'The last message of a {messages} row must be the assistant’s.',
    };
  }
  const called = Array.isArray(answer.tool_calls) && answer.tool_calls.length > 0;
  return {
    ok: true,
    value: {
      ...rest,
      request: { messages: messages.slice(0, -1), ...(tools !== undefined && { tools }) },
      response: {
        object: 'chat.completion',
        choices: [{ index: 0, message: answer, finish_reason: called ? 'tool_calls' : 'stop' }],
      },
    },
  };
}
