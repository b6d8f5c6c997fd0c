import type { Example } from '../domain/datasets/dataset.ts';
import { readAnswer } from '../domain/experiments/read-answer.ts';
import { scoreItem } from '../domain/experiments/score.ts';
import { findUnstorable, isJsonObject, type JsonObject } from '../domain/json.ts';
import type { EvaluationItem } from './ports/experiment-lineage.ts';

/** What a failed item is counted as. */
export type Failure = 'timeout' | 'refusal' | 'unparsable' | 'too_long' | 'provider_error';

/** The item as it is stored: scored where its answer can be read, failed where it cannot. */
export function answeredItem(
  example: Example,
  { response, latencyMs }: { readonly response: JsonObject; readonly latencyMs: number | null },
): EvaluationItem {
  const unstorable = findUnstorable(response);
  if (unstorable !== null) {
    // A small model may well write NUL bytes or half a character; the answer is wrong, and cannot be kept.
    return failedItem(example, {
      failure: 'unparsable',
      detail: `The answer cannot be stored: ${unstorable}.`,
    });
  }
  const read = readAnswer(response);
  return {
    itemId: example.recordId,
    recordId: example.recordId,
    response,
    failure: read.ok ? null : read.failure,
    failureDetail: read.ok ? null : read.detail,
    scores: scoreItem(example.target, read.ok ? read.answer : null, example.tools),
    latencyMs,
    promptTokens: usage(response, 'prompt_tokens'),
    completionTokens: usage(response, 'completion_tokens'),
  };
}

/** An item without an answer: wrong by every metric that applies to it. */
export function failedItem(
  example: Example,
  { failure, detail }: { failure: Failure; detail: string },
): EvaluationItem {
  return {
    itemId: example.recordId,
    recordId: example.recordId,
    response: null,
    failure,
    failureDetail: detail,
    scores: scoreItem(example.target, null, example.tools),
    latencyMs: null,
    promptTokens: null,
    completionTokens: null,
  };
}

function usage(response: JsonObject, field: string): number | null {
  const counts = response['usage'];
  const count = isJsonObject(counts) ? counts[field] : null;
  return typeof count === 'number' ? count : null;
}
