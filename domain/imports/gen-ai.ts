import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { parseIfJson } from './loose.ts';
import type { OtlpEvent } from './otlp.ts';

/** What a model call was asked and answered, as far as one span and its events say. */
export interface GenAiContent {
  readonly input: readonly Json[];
  readonly output: Json;
}

/**
 * Reads the content of a call from attributes and events of OpenTelemetry's GenAI conventions, newest form first:
 *
 * - attributes `gen_ai.input.messages`, `gen_ai.output.messages`, `gen_ai.system_instructions` on the span, or on
 *   the event `gen_ai.client.inference.operation.details`
 *   (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/);
 * - up to 1.36, one event per message: `gen_ai.system.message`, `gen_ai.user.message`, `gen_ai.assistant.message`,
 *   `gen_ai.tool.message`, `gen_ai.choice`, as log records or on the span
 *   (https://github.com/open-telemetry/semantic-conventions/blob/v1.36.0/docs/gen-ai/gen-ai-events.md);
 * - OpenLLMetry's numbered attributes `gen_ai.prompt.0.role`, `gen_ai.completion.0.content`.
 */
export function readContent(attributes: JsonObject, events: readonly OtlpEvent[]): GenAiContent {
  const holders = [
    attributes,
    ...events.filter(isDetails).flatMap((event) => [event.attributes, objectIn(event.body)]),
  ];
  const attribute = (name: string): unknown => {
    const holder = holders.find((each) => each[name] != null);
    return parseIfJson(holder?.[name]);
  };
  const messages = events.flatMap(toMessage);
  const choices = events.filter((event) => event.name === 'gen_ai.choice').map(contentOf);
  const input = firstList(
    attribute('gen_ai.input.messages'),
    messages,
    numbered(attributes, 'gen_ai.prompt'),
  );
  const output = firstList(
    attribute('gen_ai.output.messages'),
    choices.sort((left, right) => Number(left.index ?? 0) - Number(right.index ?? 0)).map(toChoice),
    numbered(attributes, 'gen_ai.completion'),
  );
  return {
    input: [...instructions(attribute('gen_ai.system_instructions')), ...input],
    output: output[0] ?? null,
  };
}

function isDetails({ name }: OtlpEvent): boolean {
  return name === 'gen_ai.client.inference.operation.details';
}

function firstList(...candidates: unknown[]): Json[] {
  const found = candidates.find((each): each is Json[] => Array.isArray(each) && each.length > 0);
  return found ?? [];
}

function instructions(value: unknown): Json[] {
  if (typeof value === 'string' && value !== '') return [{ role: 'system', content: value }];
  return Array.isArray(value) && value.length > 0 ? [{ role: 'system', parts: value }] : [];
}

const rolesByEvent: Readonly<Record<string, string>> = {
  'gen_ai.system.message': 'system',
  'gen_ai.user.message': 'user',
  'gen_ai.assistant.message': 'assistant',
  'gen_ai.tool.message': 'tool',
};

/** The role is left out of an event where its name tells it. */
function toMessage(event: OtlpEvent): JsonObject[] {
  const role = rolesByEvent[event.name];
  return role === undefined ? [] : [{ role, ...parsed(contentOf(event), ['content', 'tool_calls']) }];
}

/** In the body of a log record; on a span event, as attributes, or as JSON in one of them. */
function contentOf({ attributes, body }: OtlpEvent): JsonObject {
  if (isJsonObject(body)) return body;
  const content = parseIfJson(attributes['gen_ai.event.content'] ?? body);
  return isJsonObject(content) ? content : attributes;
}

function toChoice(choice: JsonObject): JsonObject {
  const { message, finish_reason, tool_calls } = parsed(choice, ['message', 'tool_calls']);
  const fields = isJsonObject(message) ? message : { content: message ?? null };
  return {
    role: 'assistant',
    ...parsed(fields, ['content', 'tool_calls']),
    ...(Array.isArray(tool_calls) && { tool_calls }),
    ...(typeof finish_reason === 'string' && { finish_reason }),
  };
}

/** Attributes of a span event hold what is structured as JSON text. */
function parsed(fields: JsonObject, names: readonly string[]): JsonObject {
  const read = names.flatMap((name) =>
    fields[name] === undefined ? [] : [[name, parseIfJson(fields[name])]],
  );
  return { ...fields, ...Object.fromEntries(read) };
}

function objectIn(value: Json): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** `<prefix>.0.role`, `<prefix>.0.tool_calls.0.name` … as a list of messages. */
export function numbered(attributes: JsonObject, prefix: string): JsonObject[] {
  const rows = new Map<number, JsonObject>();
  for (const [key, value] of Object.entries(attributes)) {
    const match = /^(\d{1,4})\.(.+)$/.exec(key.startsWith(`${prefix}.`) ? key.slice(prefix.length + 1) : '');
    if (match === null) continue;
    const index = Number(match[1]);
    rows.set(index, { ...rows.get(index), [match[2] ?? '']: value });
  }
  return [...rows]
    .sort(([left], [right]) => left - right)
    .map(([, fields]) => {
      const calls = prefix.endsWith('tool_calls') ? [] : numbered(fields, 'tool_calls');
      return { ...fields, ...(calls.length > 0 && { tool_calls: calls }) };
    });
}
