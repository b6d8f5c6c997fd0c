import { setTimeout } from 'node:timers/promises';
import { FlywheelError } from '../domain/errors.ts';
import { hasEnded, type TrainingJob } from './ports/trainer.ts';
import type { Watch } from './watch-training.ts';

/** Asks the trainer to end the job. Returns the job once it has ended, or null if it has not in the time allowed. */
export async function endJob(
  { trainer, timing }: Pick<Watch, 'trainer' | 'timing'>,
  jobId: string,
): Promise<TrainingJob | null> {
  const deadline = Date.now() + timing.endMs;
  let asked = false;
  do {
    try {
      if (!asked) await trainer.cancel(jobId);
      asked = true;
      const job = await trainer.get(jobId);
      if (hasEnded(job)) return job;
    } catch (error) {
      // Unreachable for a moment, or confused: as long as there is time, ask again.
      if (!(error instanceof FlywheelError)) throw error;
    }
    await setTimeout(Math.min(timing.pollMs, 500));
  } while (Date.now() < deadline);
  return null;
}
