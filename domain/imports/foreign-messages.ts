import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { toCalls } from './foreign-tools.ts';

/**
 * Chat messages as other systems write them, in OpenAI's form: OpenAI's own, LangChain's (`{type: "human"}`, or
 * serialised as a constructor with `kwargs`), Anthropic's content blocks, and OpenTelemetry's `parts`. One text
 * is a user's message. Reasoning is left out: it is no part of the answer. What has no form in OpenAI's stays as
 * it is, for curation to say why it cannot be used. null where the value holds no messages.
 */
export function toMessages(value: unknown): JsonObject[] | null {
  if (typeof value === 'string') return value === '' ? null : [{ role: 'user', content: value }];
  if (isJsonObject(value)) return 'messages' in value ? toMessages(value.messages) : toMessage(value);
  if (!Array.isArray(value) || value.length === 0) return null;
  // A batch of one conversation, as LangChain logs its inputs.
  if (value.length === 1 && Array.isArray(value[0])) return toMessages(value[0]);
  const messages = value.map((each) => (isJsonObject(each) ? toMessage(each) : null));
  return messages.some((each) => each === null) ? null : messages.flatMap((each) => each ?? []);
}

const roles: Readonly<Record<string, string>> = {
  human: 'user',
  ai: 'assistant',
  model: 'assistant',
  function: 'tool',
  HumanMessage: 'user',
  HumanMessageChunk: 'user',
  AIMessage: 'assistant',
  AIMessageChunk: 'assistant',
  SystemMessage: 'system',
  ToolMessage: 'tool',
  FunctionMessage: 'tool',
};

/** One message; several where it holds results of several tools. null when it has no role. */
export function toMessage(message: JsonObject): JsonObject[] | null {
  const { role, fields } = openMessage(message);
  if (role === null) return null;
  const parts = readParts(fields.parts ?? fields.content ?? null);
  const given = toCalls(fields.tool_calls ?? additional(fields).tool_calls);
  const calls = given.length > 0 ? given : parts.calls;
  const id = fields.tool_call_id ?? (role === 'tool' ? fields.id : undefined);
  const results = parts.results.map((result) => ({ role: 'tool', ...result }));
  const isEmpty = parts.content === null && calls.length === 0;
  if (isEmpty && results.length > 0) return results;
  const content = role === 'tool' && parts.content === null ? '' : parts.content;
  return [
    ...results,
    {
      role,
      content,
      ...(calls.length > 0 && role === 'assistant' && { tool_calls: calls }),
      ...(role === 'tool' && typeof id === 'string' && { tool_call_id: id }),
      ...(typeof fields.refusal === 'string' && { refusal: fields.refusal }),
    },
  ];
}

function openMessage(message: JsonObject): { role: string | null; fields: JsonObject } {
  const { kwargs, data, id, type, role } = message;
  if (isJsonObject(kwargs))
    return { role: roleOf(Array.isArray(id) ? id.at(-1) : kwargs.type), fields: kwargs };
  if (typeof role === 'string') return { role: roleOf(role), fields: message };
  return { role: roleOf(type), fields: isJsonObject(data) ? data : message };
}

function roleOf(name: unknown): string | null {
  if (typeof name !== 'string') return null;
  return Object.hasOwn(roles, name) ? (roles[name] ?? null) : name;
}

function additional(fields: JsonObject): JsonObject {
  return isJsonObject(fields.additional_kwargs) ? fields.additional_kwargs : {};
}

interface Parts {
  readonly content: Json;
  readonly calls: JsonObject[];
  readonly results: { readonly content: string; readonly tool_call_id?: string }[];
}

function readParts(value: Json): Parts {
  if (!Array.isArray(value)) return { content: textOrNull(value), calls: [], results: [] };
  const blocks = value.map((part) => (typeof part === 'string' ? { type: 'text', text: part } : part));
  const objects = blocks.filter(isJsonObject);
  const content = objects.filter((part) => !elsewhere.has(part.type)).map(toContentPart);
  const texts = content.flatMap((part) =>
    part.type === 'text' && typeof part.text === 'string' ? [part.text] : [],
  );
  return {
    content:
      content.length === 0 ? null : texts.length === 1 && content.length === 1 ? (texts[0] ?? '') : content,
    calls: toCalls(objects.filter((part) => part.type === 'tool_use' || part.type === 'tool_call')),
    results: objects
      .filter((part) => part.type === 'tool_result' || part.type === 'tool_call_response')
      .map(toResult),
  };
}

/** Parts that are not content: calls, results, and what the model thought. */
const elsewhere = new Set<unknown>([
  'tool_use',
  'tool_call',
  'tool_result',
  'tool_call_response',
  'reasoning',
  'thinking',
  'redacted_thinking',
]);

/** OpenTelemetry writes a part's text as `content`, everybody else as `text`. */
function toContentPart(part: JsonObject): JsonObject {
  const text = part.text ?? part.content;
  return part.type === 'text' && typeof text === 'string' ? { type: 'text', text } : part;
}

function toResult(part: JsonObject): Parts['results'][number] {
  const id = part.tool_use_id ?? part.id;
  const answer = part.response ?? part.result ?? part.content ?? '';
  return {
    content: typeof answer === 'string' ? answer : JSON.stringify(answer),
    ...(typeof id === 'string' && { tool_call_id: id.trim() }),
  };
}

function textOrNull(value: Json): Json {
  if (value === null || typeof value === 'string') return value;
  return JSON.stringify(value);
}
