import { z } from 'zod';
import type { EvaluatedRow } from '../../activities/ports/evaluator.ts';
import type { JsonObject } from '../../domain/json.ts';
import { metricsOfKind } from './evaluation-spec.ts';

/** Python's JSON has NaN as text. */
export const Score = z
  .union([z.number(), z.string(), z.null()])
  .transform((value) => (typeof value === 'number' ? value : null));

const response = z
  .record(z.string(), z.unknown())
  .nullish()
  // Where nothing was answered it is empty.
  .transform((value) => (value && 'choices' in value ? withoutEmptyCalls(value as JsonObject) : null));

/** A line of the result `row-scores`. */
export const ScoredRow = z
  .object({
    item: z.object({ item_id: z.string(), kind: z.string() }),
    sample: z.object({ response, inference_error: z.string().nullish() }),
    metrics: z.record(z.string(), z.array(z.object({ name: z.string(), value: Score }))),
  })
  .transform(({ item, sample, metrics }): EvaluatedRow => {
    const meant = metricsOfKind[item.kind] ?? [];
    const entries = Object.entries(metrics)
      .filter(([type]) => meant.includes(type))
      .flatMap(([type, outputs]) =>
        outputs.map(({ name, value }) => [metricName(type, name), value] as const),
      );
    const noAnswer = sample.inference_error ?? 'the evaluator has no answer to it';
    return {
      itemId: item.item_id,
      response: sample.response,
      error: sample.response === null ? noAnswer : null,
      metrics: Object.fromEntries(entries),
    };
  });

function metricName(type: string, output: string): string {
  return type === output ? type : `${type}.${output}`;
}

/** The tool-calling metric writes an empty list into answers that have no calls. */
function withoutEmptyCalls(completion: JsonObject): JsonObject {
  const { choices } = completion as { choices: { message: JsonObject }[] };
  return {
    ...completion,
    choices: choices.map((choice) => {
      const { tool_calls: calls, ...message } = choice.message;
      return Array.isArray(calls) && calls.length > 0 ? choice : { ...choice, message };
    }),
  };
}

export const Results = z
  .object({ data: z.array(z.object({ name: z.string() })) })
  .transform(({ data }) => data.map(({ name }) => name));
