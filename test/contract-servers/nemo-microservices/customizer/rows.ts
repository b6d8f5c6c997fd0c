import { isJsonObject, type Json, type JsonObject } from '../../../../domain/json.ts';
import { filesAt } from '../data-store/repos.ts';
import type { World } from '../world.ts';

/** A dataset that cannot be trained on; the reason ends up in the job's log. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';
}

export interface TrainingRows {
  readonly train: readonly string[];
  readonly validation: readonly string[];
}

/**
 * `training/*.jsonl` and `validation/*.jsonl` of the dataset's repository, as the model server takes them.
 * Without validation files a tenth is split off.
 */
export function readRows(world: World, filesUrl: string): TrainingRows {
  const files = filesAt(world.dataStore, filesUrl);
  if (!files) throw new DatasetError(`No files found at ${filesUrl}`);
  const of = (folder: string) =>
    [...files].flatMap(([path, { bytes }]) =>
      path.startsWith(`${folder}/`) && path.endsWith('.jsonl') ? rowsOf(path, bytes.toString('utf8')) : [],
    );
  const train = of('training');
  const validation = of('validation');
  if (train.length === 0) throw new DatasetError('The training dataset is empty');
  if (validation.length > 0) return { train, validation };
  const kept = Math.max(1, Math.floor(train.length * 0.9));
  return { train: train.slice(0, kept), validation: train.slice(kept) };
}

function rowsOf(path: string, text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [readRow(line, `${path} line ${index + 1}`)]));
}

function readRow(line: string, where: string): string {
  let row: Json;
  try {
    row = JSON.parse(line) as Json;
  } catch {
    throw new DatasetError(`${where}: not a JSON document`);
  }
  const messages = isJsonObject(row) ? row['messages'] : undefined;
  if (!isJsonObject(row) || !Array.isArray(messages))
    throw new DatasetError(`${where}: 'messages' is a required property`);
  const last = messages.at(-1) ?? null;
  if (!isJsonObject(last) || last['role'] !== 'assistant') {
    throw new DatasetError(`${where}: the last message must be the assistant's`);
  }
  return JSON.stringify({
    ...row,
    messages: messages.map((message) => toOpenAi(message as JsonObject, where)),
  });
}

/** Tool arguments are objects in Customizer's rows and strings of JSON in OpenAI's. */
function toOpenAi(message: JsonObject, where: string): JsonObject {
  const { tool_calls: calls } = message;
  if (!Array.isArray(calls)) return message;
  return {
    ...message,
    content: message['content'] === '' ? null : (message['content'] ?? null),
    tool_calls: calls.map((call, index) => {
      const called = (call as JsonObject)['function'] as JsonObject;
      const { arguments: args = null } = called;
      if (!isJsonObject(args)) {
        throw new DatasetError(`${where}: tool_calls.${index}.function.arguments is not of type 'object'`);
      }
      const id = (call as JsonObject)['id'] ?? `call_${index}`;
      return { id, type: 'function', function: { ...called, arguments: JSON.stringify(args) } };
    }),
  };
}
