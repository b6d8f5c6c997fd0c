import type { Target } from '../records/chat.ts';
import { readTarget } from '../records/parse-chat.ts';

export type Answer =
  | { readonly ok: true; readonly answer: Target }
  | { readonly ok: false; readonly failure: 'refusal' | 'unparsable'; readonly detail: string };

/** Reads a model's chat completion as an answer that can be scored. A failure is a wrong answer. */
export function readAnswer(response: unknown): Answer {
  const read = readTarget(response);
  if (read.ok) return { ok: true, answer: read.value };
  return { ok: false, failure: read.reason === 'refusal' ? 'refusal' : 'unparsable', detail: read.detail };
}
