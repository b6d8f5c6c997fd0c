import { z } from 'zod';
import type { EvaluatedRow, EvaluationJob } from '../../activities/ports/evaluator.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import { toStatus } from './job-status.ts';

const Task = z.object({
  dataset: z
    .union([z.string(), z.object({ files_url: z.string().nullish() })])
    .nullish()
    .transform((dataset) => (typeof dataset === 'string' ? dataset : (dataset?.files_url ?? ''))),
});

/** An evaluation job as the evaluator sees it. */
export const Job = z
  .object({
    id: z.string(),
    status: z.string(),
    created_at: z.string().nullish(),
    config: z.object({ tasks: z.record(z.string(), Task).nullish() }).nullish(),
    status_details: z.object({ message: z.string().nullish() }).nullish(),
  })
  .transform(({ id, status, created_at, config, status_details }) => ({
    createdAt: created_at ?? '',
    /** Names, without namespace, of the dataset repositories that its tasks read. */
    datasets: Object.values(config?.tasks ?? {}).map(({ dataset }) => repoName(dataset)),
    job: {
      id,
      status: toStatus(status),
      error: status === 'failed' ? (status_details?.message ?? 'the service gives no reason') : null,
      // Nothing that Evaluator says tells a lost pod from a wrong dataset.
      errorRetryable: false,
    } satisfies EvaluationJob,
  }));
export type Job = z.output<typeof Job>;

function repoName(filesUrl: string): string {
  return /^hf:\/\/datasets\/[^/]+\/([^/]+)/.exec(filesUrl)?.[1] ?? '';
}

const Score = z.union([z.number(), z.null(), z.object({ value: z.number().nullish() })]);

/** One sample of `results.json`; rows without our id are not ours. */
export const SampleRow = z
  .object({
    item: z.looseObject({ item_id: z.string() }),
    sample: z.looseObject({ response: z.unknown().optional(), error: z.unknown().optional() }).nullish(),
    metrics: z.record(z.string(), z.unknown()).nullish(),
  })
  .transform(({ item, sample, metrics }): EvaluatedRow => {
    const response = toResponse((sample?.response ?? null) as Json);
    const told =
      typeof sample?.error === 'string' ? sample.error : 'the evaluator has no answer and gives no reason';
    return {
      itemId: item.item_id,
      response,
      error: response === null ? told : null,
      metrics: flatten(metrics ?? {}),
    };
  });

function toResponse(response: Json): JsonObject | null {
  return isJsonObject(response) && Array.isArray(response['choices']) ? response : null;
}

/** `{metric: {scores: {score: {value}}}}` as `metric.score`, whatever of the nesting a release leaves out. */
function flatten(metrics: Readonly<Record<string, unknown>>): Record<string, number | null> {
  const flat: Record<string, number | null> = {};
  for (const [metric, value] of Object.entries(metrics)) {
    const inner = isJsonObject(value) ? (value['scores'] ?? value) : { '': value };
    for (const [score, given] of Object.entries(isJsonObject(inner) ? inner : {})) {
      const parsed = Score.safeParse(given);
      if (!parsed.success) continue;
      const name = score === '' || score === metric ? metric : `${metric}.${score}`;
      flat[name] = typeof parsed.data === 'number' ? parsed.data : (parsed.data?.value ?? null);
    }
  }
  return flat;
}
