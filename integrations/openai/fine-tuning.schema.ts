import { z } from 'zod';
import type {
  SetAsideRow,
  TrainingJob,
  TrainingProgress,
  TrainingStatus,
} from '../../activities/ports/trainer.ts';

export const UploadedFile = z.object({
  id: z.string(),
  filename: z.string(),
  bytes: z.number(),
  status: z.string().nullish(),
});

export const UploadedFiles = z.array(UploadedFile);

/**
 * Job errors that are not the job's own: the server stopped or stumbled, or the trainer's process was killed
 * (which may be memory; whoever launches again bounds how often).
 */
const retryableJobErrors: readonly string[] = ['server_restarted', 'server_error', 'trainer_died'];

/** A job as the trainer lists it: ours, and by which key it was made. */
export const Job = z
  .object({
    id: z.string(),
    status: z.string(),
    created_at: z.number(),
    fine_tuned_model: z.string().nullish(),
    train_seconds: z.number().nullish(),
    error: z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
    metadata: z.record(z.string(), z.string()).nullish(),
  })
  .transform((job) => ({
    key: job.metadata?.['flywheel_key'] ?? null,
    createdAt: job.created_at,
    job: {
      id: job.id,
      status: toStatus(job.status),
      model: job.fine_tuned_model ?? null,
      trainSeconds: job.train_seconds ?? null,
      error: job.error?.message ?? null,
      errorRetryable: retryableJobErrors.includes(job.error?.code ?? ''),
    } satisfies TrainingJob,
  }));
export type Job = z.output<typeof Job>;

export const JobList = z.array(Job);

const ListedRow = z.object({ line: z.int().positive(), code: z.string(), message: z.string() });
const ListedFile = z.object({ set_aside: z.array(ListedRow) });

/** The model server's own `GET …/set_aside`: what a job was not trained on, by file. */
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
