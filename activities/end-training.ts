import { log } from '@temporalio/activity';
import { UnavailableError } from '../domain/errors.ts';
import { trainerOf } from '../domain/experiments/experiment.ts';
import { endJob } from './end-job.ts';
import type { FineTuneInput, FineTunePorts } from './fine-tune.ts';
import { fineTuneKey, mostRounds } from './idempotency-keys.ts';
import { keepAlive } from './keep-alive.ts';
import { hasEnded, type TrainingJob } from './ports/trainer.ts';
import { defaultTiming, type TrainingTiming } from './watch-training.ts';

/**
 * Ends what a training that did not succeed may have left at the trainer: the attempt that would have ended it
 * may have died, or never have begun. Finds the jobs by their keys, for no attempt may have recorded them.
 *
 * Fails, to be tried again, while the trainer does not answer or has not ended a job.
 */
export function createEndTraining(ports: FineTunePorts, timing: TrainingTiming = defaultTiming) {
  async function endTraining(input: FineTuneInput): Promise<{ ended: number }> {
    const trainer = ports.trainers(trainerOf(input.candidate));
    const dataset = await ports.lineage.datasets.get(input.datasetId);
    let ended = 0;
    await keepAlive(
      () => ({ ended }),
      async () => {
        for (let round = 1; round <= mostRounds; round++) {
          const job = await trainer.find(fineTuneKey({ ...input, datasetHash: dataset.summary.hash }, round));
          if (job === null) return;
          if (hasEnded(job)) continue;
          log.warn('A training that nobody waits for is ended', { jobId: job.id });
          await end(job);
          ended += 1;
        }
      },
    );
    return { ended };

    async function end({ id }: TrainingJob): Promise<void> {
      const job = await endJob({ trainer, timing }, id);
      if (job === null) {
        throw new UnavailableError(`The trainer has not ended job ${id} after ${timing.endMs / 1000} s.`);
      }
      await ports.lineage.experiments.updateJob(id, job.status, null, job.error ?? undefined);
    }
  }
  return { endTraining };
}
