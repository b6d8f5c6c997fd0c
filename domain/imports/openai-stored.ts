import { isJsonObject, type JsonObject } from '../json.ts';
import { parseRecord } from '../records/parse.ts';
import { importValues } from './import-values.ts';
import type { ImportedRow, Importer, ImportOptions } from './importer.ts';

/**
 * OpenAI's stored chat completions (`store: true`): what `GET /v1/chat/completions` lists, page by page or
 * completion by completion (https://platform.openai.com/docs/api-reference/chat/list). Each holds the answer
 * and the parameters of its request; where it does not hold the messages, they are those of
 * `GET /v1/chat/completions/{id}/messages`, under `messages`, as a list or as that page. `metadata` may name
 * `workload_id`, `client_id` and `conversation_id`.
 */
export const openaiStored: Importer = {
  description: 'OpenAI stored chat completions, as their list API returns them, with their messages',
  example: 'stored.jsonl --format openai-stored --workload support --client web',

  read: (source, options) => importValues(source, (line, value) => [toRow(line, value, options)]),
};

/** Parts of the request that OpenAI stores with the answer. */
const requestFields = [
  'tools',
  'tool_choice',
  'response_format',
  'temperature',
  'top_p',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'max_completion_tokens',
] as const;

function toRow(line: number, value: unknown, options: ImportOptions): ImportedRow {
  if (!isJsonObject(value) || value.object !== 'chat.completion') {
    return { line, reason: 'not_a_model_call', detail: 'Its object is not "chat.completion".' };
  }
  const { messages, input, ...stored } = value;
  const asked = listOf(messages) ?? listOf(isJsonObject(input) ? input.messages : input);
  if (asked === null) {
    return {
      line,
      reason: 'no_messages',
      detail: 'It has no messages: store those of GET /v1/chat/completions/{id}/messages under "messages".',
    };
  }
  const metadata = isJsonObject(stored.metadata) ? stored.metadata : {};
  const parsed = parseRecord(
    {
      id: stored.id ?? null,
      timestamp: stored.created ?? null,
      workload_id: metadata.workload_id ?? null,
      client_id: metadata.client_id ?? null,
      conversation_id: metadata.conversation_id ?? null,
      request: toRequest(stored, asked),
      response: withoutRequest(stored),
      source: 'openai-stored',
    },
    options,
  );
  if (parsed.ok) return { line, record: parsed.record };
  return { line, reason: parsed.reason, detail: parsed.detail };
}

function listOf(value: unknown): JsonObject[] | null {
  const list = isJsonObject(value) && value.object === 'list' ? value.data : value;
  if (!Array.isArray(list) || !list.every(isJsonObject)) return null;
  return list.map(toMessage);
}

/** Stored messages carry an id, null for what a message does not have, and parts beside the content. */
function toMessage(stored: JsonObject): JsonObject {
  const { id: _, content_parts, ...message } = stored;
  const content = Array.isArray(content_parts) ? content_parts : (message.content ?? null);
  const given = Object.entries({ ...message, content }).filter(
    ([field, value]) => value !== null || field === 'content',
  );
  return Object.fromEntries(given);
}

function toRequest(stored: JsonObject, messages: JsonObject[]): JsonObject {
  const given = requestFields.flatMap((field) => (stored[field] == null ? [] : [[field, stored[field]]]));
  return {
    ...(typeof stored.model === 'string' && { model: stored.model }),
    messages,
    ...Object.fromEntries(given),
  };
}

function withoutRequest(stored: JsonObject): JsonObject {
  const fields: readonly string[] = requestFields;
  return Object.fromEntries(Object.entries(stored).filter(([field]) => !fields.includes(field)));
}
