import { z } from 'zod';
import type { TrainingJob, TrainingProgress } from '../../activities/ports/trainer.ts';
import { toStatus } from './job-status.ts';

export const Target = z
  .object({
    name: z.string(),
    namespace: z.string().nullish(),
    base_model: z.string().nullish(),
    enabled: z.boolean().nullish(),
    status: z.string().nullish(),
  })
  .transform(({ name, namespace, base_model, enabled, status }) => ({
    fullName: `${namespace ?? 'default'}/${name}`,
    baseModel: base_model ?? null,
    enabled: enabled !== false,
    /** `ready`, `downloading`, …; null where the reply has none. */
    status: status ?? null,
  }));
export type Target = z.output<typeof Target>;

/** What of a config shapes a training; compared with what we want before it is used. */
export const Config = z
  .object({
    name: z.string(),
    namespace: z.string().nullish(),
    max_seq_length: z.number(),
    training_precision: z.string().nullish(),
    target: z.union([z.string(), z.object({ name: z.string(), namespace: z.string().nullish() })]).nullish(),
    training_options: z.array(
      z.object({
        training_type: z.string(),
        finetuning_type: z.string(),
        num_gpus: z.number(),
        micro_batch_size: z.number(),
      }),
    ),
    created_at: z.string().nullish(),
  })
  .transform((config) => ({
    name: config.name,
    fullName: `${config.namespace ?? 'default'}/${config.name}`,
    maxSeqLength: config.max_seq_length,
    precision: config.training_precision ?? null,
    /** `namespace/name`, however the reply has it; null where it does not. */
    target: nameOfTarget(config.target ?? null),
    options: config.training_options,
    createdAt: config.created_at ?? null,
  }));
export type Config = z.output<typeof Config>;

function nameOfTarget(
  target: string | { readonly name: string; readonly namespace?: string | null | undefined } | null,
): string | null {
  return target === null || typeof target === 'string'
    ? target
    : `${target.namespace ?? 'default'}/${target.name}`;
}

const MetricValue = z.object({ step: z.number().nullish(), value: z.number().nullish() });

const StatusDetails = z.object({
  elapsed_time: z.number().nullish(),
  steps_completed: z.number().nullish(),
  steps_per_epoch: z.number().nullish(),
  train_loss: z.number().nullish(),
  val_loss: z.number().nullish(),
  metrics: z
    .object({
      metrics: z
        .object({ train_loss: z.array(MetricValue).nullish(), val_loss: z.array(MetricValue).nullish() })
        .nullish(),
    })
    .nullish(),
  status_logs: z
    .array(
      z.object({
        updated_at: z.string().nullish(),
        message: z.string().nullish(),
        detail: z.string().nullish(),
      }),
    )
    .nullish(),
});
type StatusDetails = z.output<typeof StatusDetails>;

/** A customization job as the trainer sees it. */
export const Job = z
  .object({
    id: z.string(),
    status: z.string(),
    output_model: z.string().nullish(),
    created_at: z.string().nullish(),
    hyperparameters: z.object({ epochs: z.number().nullish() }).nullish(),
    status_details: StatusDetails.nullish(),
  })
  .transform(({ id, status, output_model: output, created_at, hyperparameters, status_details }) => ({
    /** Without namespace, with its revision. */
    outputName: output?.split('/').slice(1).join('/') ?? '',
    createdAt: created_at ?? '',
    progress: toProgress(status_details ?? null, hyperparameters?.epochs ?? 1),
    job: {
      id,
      status: toStatus(status),
      // The server's own name: it puts a revision where we asked for none.
      model: status === 'completed' ? (output ?? null) : null,
      trainSeconds: status === 'completed' ? (status_details?.elapsed_time ?? null) : null,
      error: status === 'failed' ? reasonOf(status_details ?? null) : null,
      // Nothing that Customizer says tells a lost pod from a wrong dataset.
      errorRetryable: false,
    } satisfies TrainingJob,
  }));
export type Job = z.output<typeof Job>;

/** The newest entry that has a detail; entries are not strictly sorted. */
function reasonOf(details: StatusDetails | null): string | null {
  const told = (details?.status_logs ?? []).filter(({ detail }) => detail);
  const newest = [...told].sort((a, b) => ((a.updated_at ?? '') < (b.updated_at ?? '') ? 1 : -1))[0];
  return newest?.detail || null;
}

function toProgress(details: StatusDetails | null, epochs: number): TrainingProgress | null {
  const step = details?.steps_completed ?? 0;
  if (!details || step === 0) return null;
  const series = details.metrics?.metrics;
  return {
    step,
    totalSteps: Math.max((details.steps_per_epoch ?? 0) * epochs, step),
    trainLoss: series?.train_loss?.at(-1)?.value ?? details.train_loss ?? null,
    validationLoss: series?.val_loss?.at(-1)?.value ?? details.val_loss ?? null,
  };
}
