import { log } from '@temporalio/activity';
import { UnavailableError } from '../domain/errors.ts';
import { pause } from './pause.ts';
import type { Lineage } from './ports/lineage.ts';
import { hasEnded, type Trainer, type TrainingJob, type TrainingProgress } from './ports/trainer.ts';

export interface TrainingTiming {
  /** Between two looks at a job. */
  readonly pollMs: number;
  /** At most so often is progress written to the lineage. */
  readonly reportMs: number;
  /** How long the trainer may be silent before the attempt gives up its slot. */
  readonly silenceMs: number;
  /** How long a cancelled job may take to end. */
  readonly endMs: number;
}

/**
 * A restart of the model server takes up to half a minute: shorter than giving the slot back, queueing and
 * adopting again would take. A cancelled job stops within seconds; a minute means that something is stuck.
 */
export const defaultTiming: TrainingTiming = {
  pollMs: 1_000,
  reportMs: 1_000,
  silenceMs: 120_000,
  endMs: 60_000,
};

/** The lineage of a training: its job and, at the end, its adapter. */
export type TrainingLineage = Pick<Lineage['experiments'], 'recordJob' | 'updateJob' | 'recordAdapter'>;

export interface Watch {
  readonly trainer: Trainer;
  readonly lineage: Pick<TrainingLineage, 'updateJob'>;
  readonly timing: TrainingTiming;
  readonly signal: AbortSignal;
}

/** Polls until the job has ended, however. Rejects with the signal's reason when it aborts. */
export async function watchTraining(
  watch: Watch,
  job: TrainingJob,
  onProgress: (progress: TrainingProgress | null) => void,
): Promise<TrainingJob> {
  const { trainer, timing, signal } = watch;
  let lastAnswer = Date.now();
  let lastReport = { at: 0, step: -1 };
  let current = job;
  for (;;) {
    try {
      current = await trainer.get(job.id);
      const progress = await trainer.progress(job.id);
      lastAnswer = Date.now();
      onProgress(progress);
      if (progress && progress.step !== lastReport.step && Date.now() - lastReport.at >= timing.reportMs) {
        lastReport = { at: Date.now(), step: progress.step };
        await report(watch, current, progress);
      }
    } catch (error) {
      if (!(error instanceof UnavailableError) || Date.now() - lastAnswer > timing.silenceMs) throw error;
    }
    if (hasEnded(current)) return current;
    await pause(timing.pollMs, signal);
  }
}

/** Progress is for people to look at: that it could not be written must not disturb a training. */
async function report({ lineage }: Watch, job: TrainingJob, progress: TrainingProgress): Promise<void> {
  try {
    await lineage.updateJob(job.id, job.status, progress);
  } catch (error) {
    log.warn('Training progress could not be stored', { jobId: job.id, error: String(error) });
  }
}
