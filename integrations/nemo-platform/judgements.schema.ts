import { z } from 'zod';
import type { JudgedAnswer } from '../../activities/ports/judge-jobs.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { Score } from './evaluations.schema.ts';

/** A line of the result `row-scores` of a judging: the score, and what the judge was asked and said. */
export const JudgedRow = z
  .object({
    item: z.object({ item_id: z.string() }),
    metrics: z.record(z.string(), z.array(z.object({ name: z.string(), value: Score }))),
    requests: z.array(z.unknown()).nullish(),
  })
  .transform(
    ({ item, metrics, requests }): JudgedAnswer => ({
      itemId: item.item_id,
      reply: replyOf(requests ?? []),
      score: metrics['llm-judge']?.find(({ name }) => name === 'score')?.value ?? null,
    }),
  );

/** The last one, should the judge have been asked more than once. */
function replyOf(requests: readonly unknown[]): JsonObject | null {
  const replies = requests.map((request) => (isJsonObject(request) ? request['response'] : null));
  return replies.filter(isJsonObject).findLast((reply) => Array.isArray(reply['choices'])) ?? null;
}
