import { isJsonObject, type JsonObject } from '../json.ts';
import { toMessage } from './foreign-messages.ts';

export interface ForeignAnswer {
  /** The assistant's message, in OpenAI's form. */
  readonly message: JsonObject;
  readonly finishReason: string | null;
}

/**
 * The answer in what other systems log as a call's output: a text, a message, a list that ends in one, a chat
 * completion (`choices`), or LangChain's `generations`. The first of several answers; null where there is none.
 */
export function toAnswer(value: unknown): ForeignAnswer | null {
  if (typeof value === 'string') {
    return value === '' ? null : { message: { role: 'assistant', content: value }, finishReason: null };
  }
  if (Array.isArray(value)) return fromList(value);
  return isJsonObject(value) ? fromObject(value) : null;
}

/** Messages of a turn end in its answer; OpenTelemetry's choices, each with a `finish_reason`, begin with it. */
function fromList(list: unknown[]): ForeignAnswer | null {
  const [first] = list;
  if (
    Array.isArray(first) ||
    (isJsonObject(first) && ('finish_reason' in first || 'generation_info' in first))
  ) {
    return toAnswer(first);
  }
  return toAnswer(list.at(-1));
}

/** Where an output keeps its answer, the most telling first. */
const inner = ['choices', 'message', 'generations', 'messages', 'output', 'outputs', 'completion'] as const;

function fromObject(output: JsonObject): ForeignAnswer | null {
  const made = isMessage(output) ? toMessage(output)?.at(-1) : undefined;
  if (made !== undefined)
    return made.role === 'assistant' ? { message: made, finishReason: reasonOf(output) } : null;
  for (const key of inner) {
    const found = output[key] == null ? null : toAnswer(output[key]);
    if (found !== null) return { ...found, finishReason: found.finishReason ?? reasonOf(output) };
  }
  return typeof output.text === 'string' ? toAnswer(output.text) : null;
}

function isMessage(value: JsonObject): boolean {
  return 'role' in value || 'kwargs' in value || value.type === 'ai' || value.type === 'AIMessageChunk';
}

function reasonOf(value: JsonObject): string | null {
  const info = isJsonObject(value.generation_info) ? value.generation_info : {};
  const reason = value.finish_reason ?? info.finish_reason;
  return typeof reason === 'string' && reason !== '' ? reason : null;
}
