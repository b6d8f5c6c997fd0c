import { z } from 'zod';
import type {
  SetAsideRow,
  TrainingJob,
  TrainingProgress,
  TrainingStatus,
} from '../../activities/ports/trainer.ts';
import type { FineTuningDialect } from '../../domain/experiments/fine-tuning-dialect.ts';
import { isJsonObject } from '../../domain/json.ts';

export const UploadedFile = z.object({
  id: z.string(),
  filename: z.string(),
  bytes: z.number().nullish(),
  status: z.string().nullish(),
});

export type UploadedFile = z.output<typeof UploadedFile>;

export const UploadedFiles = z.array(UploadedFile);

/**
 * Job errors that are not the job's own: the server stopped or stumbled, or the trainer's process was killed
 * (which may be memory; whoever launches again bounds how often).
 */
const retryableJobErrors: readonly string[] = ['server_restarted', 'server_error', 'trainer_died'];

/** Unix seconds, OpenAI's way; RFC 3339 elsewhere. */
const Time = z.union([z.number(), z.string().transform((time) => Date.parse(time) / 1000)]);

/** A job as the trainer lists it: ours, and by what it is known to be. */
export function jobOf({ metadata, replyModel, statuses }: FineTuningDialect) {
  return z
    .looseObject({
      id: z.string(),
      status: z.string(),
      created_at: Time,
      training_file: z.string().nullish(),
      train_seconds: z.number().nullish(),
      error: z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
    })
    .transform((job) => {
      const key = metadata === null ? undefined : at(job, `${metadata}.flywheel_key`);
      const trained = at(job, replyModel);
      return {
        key: typeof key === 'string' ? key : null,
        trainingFile: job.training_file ?? '',
        createdAt: job.created_at,
        job: {
          id: job.id,
          status: statuses[job.status] ?? toStatus(job.status),
          model: typeof trained === 'string' ? trained : null,
          trainSeconds: job.train_seconds ?? null,
          error: job.error?.message ?? null,
          errorRetryable: retryableJobErrors.includes(job.error?.code ?? ''),
        } satisfies TrainingJob,
      };
    });
}
export type Job = z.output<ReturnType<typeof jobOf>>;

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, field) => (isJsonObject(inner) ? inner[field] : undefined), value);
}

const ListedRow = z.object({ line: z.int().positive(), code: z.string(), message: z.string() });
const ListedFile = z.object({ set_aside: z.array(ListedRow) });

/**
 * The model server's own `GET …/set_aside`: what a job was not trained on, by file. The result `set-aside` of our
 * NeMo Platform plug-in is the same.
 */
export const SetAsideRows = z
  .object({
    files: z.object({ training_file: ListedFile.optional(), validation_file: ListedFile.optional() }),
  })
  .transform(({ files }) => [
    ...toRows('train', files.training_file),
    ...toRows('validation', files.validation_file),
  ]);

function toRows(split: SetAsideRow['split'], file: z.output<typeof ListedFile> | undefined): SetAsideRow[] {
  return (file?.set_aside ?? []).map(({ line, code, message }) => ({
    split,
    line,
    reason: code,
    detail: message,
  }));
}

const statuses: Readonly<Record<string, TrainingStatus>> = {
  validating_files: 'queued',
  queued: 'queued',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** A status that we do not know (`pausing`, `paused`, …) is one that has not ended. */
function toStatus(status: string): TrainingStatus {
  return statuses[status] ?? 'running';
}

const Metrics = z.object({
  step: z.number(),
  total_steps: z.number().nullish(),
  train_loss: z.number().nullish(),
  valid_loss: z.number().nullish(),
});

/** A page of a job's events, newest first: the newest step, with the newest validation loss. */
export const EventPage = z
  .object({ data: z.array(z.object({ type: z.string().nullish(), data: z.unknown() })) })
  .transform(({ data }): TrainingProgress | null => {
    const metrics = data.flatMap((event) => {
      const parsed = Metrics.safeParse(event.data);
      return event.type === 'metrics' && parsed.success ? [parsed.data] : [];
    });
    const [newest] = metrics;
    if (newest === undefined) return null;
    return {
      step: newest.step,
      totalSteps: newest.total_steps ?? newest.step,
      trainLoss: metrics.find((one) => one.train_loss != null)?.train_loss ?? null,
      validationLoss: metrics.find((one) => one.valid_loss != null)?.valid_loss ?? null,
    };
  });
