import { isJsonObject, type JsonObject } from '../domain/json.ts';
import { CompletionAssembler } from '../domain/records/completion-assembler.ts';
import type { BodyEnd } from './observe-body.ts';

/** A chat completion read from the bytes of an answer, or why there is none. */
export type ReadAnswer =
  | { readonly ok: true; readonly response: JsonObject }
  | { readonly ok: false; readonly reason: 'unreadable' | 'unfinished' };

export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

export function readWhole(text: string, end: BodyEnd): ReadAnswer {
  const response = parseObject(text);
  if (response !== null && Array.isArray(response['choices'])) return { ok: true, response };
  return { ok: false, reason: end === 'complete' ? 'unreadable' : 'unfinished' };
}

/**
 * A stream's chunks as the completion that they amount to. Whoever stops reading after the last word, before the
 * end of the stream, has a whole answer all the same.
 */
export function readStream(text: string, end: BodyEnd): ReadAnswer {
  const assembler = new CompletionAssembler();
  for (const data of dataOf(text)) {
    const chunk = parseObject(data);
    // The last event may be cut in two.
    if (chunk === null || chunk['error'] !== undefined) continue;
    assembler.add(chunk);
  }
  const response = assembler.completion();
  if (response === null) return { ok: false, reason: end === 'complete' ? 'unreadable' : 'unfinished' };
  return isFinished(response) ? { ok: true, response } : { ok: false, reason: 'unfinished' };
}

/** Of the first chunk that has one. */
export function firstId(text: string): string | null {
  const [first] = dataOf(text.slice(0, 64 * 1024));
  return idOf(first === undefined ? null : parseObject(first));
}

export function idOf(completion: JsonObject | null): string | null {
  const id = completion?.['id'];
  return typeof id === 'string' && id !== '' ? id : null;
}

function isFinished({ choices }: JsonObject): boolean {
  return (
    Array.isArray(choices) &&
    choices.every((choice) => isJsonObject(choice) && choice['finish_reason'] !== null)
  );
}

/** The data of each server-sent event (HTML standard, section 9.2), but for the `[DONE]` that ends them. */
function dataOf(text: string): string[] {
  return text
    .split(/\r\n\r\n|\n\n|\r\r/)
    .map((event) =>
      event
        .split(/\r\n|\n|\r/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).replace(/^ /, ''))
        .join('\n'),
    )
    .filter((data) => data !== '' && data !== '[DONE]');
}
