import { trainerOf } from '../domain/experiments/experiment.ts';
import { defaultEndTiming, endJobs } from './end-jobs.ts';
import type { FineTuneInput, FineTunePorts } from './fine-tune.ts';
import { fineTuneKey } from './idempotency-keys.ts';
import { keepAlive } from './keep-alive.ts';

/**
 * Ends what a training may have left at the trainer, however it went: the attempt that would have ended its job may
 * have died, or never have begun, and a create without an answer may have made a second one. Finds the jobs by
 * their keys, for no attempt may have recorded them.
 *
 * Fails, to be tried again, while the trainer does not answer or has not ended a job.
 */
export function createEndTraining(
  { trainers, lineage }: Pick<FineTunePorts, 'trainers' | 'lineage'>,
  timing = defaultEndTiming,
) {
  async function endTraining(input: FineTuneInput): Promise<{ ended: number }> {
    const jobs = trainers(trainerOf(input.candidate));
    const { summary } = await lineage.datasets.get(input.datasetId);
    const keyOf = (round: number) => fineTuneKey({ ...input, datasetHash: summary.hash }, round);
    let ended = 0;
    await keepAlive(
      () => ({ ended }),
      async () => {
        for await (const { id, status, error } of endJobs({ jobs, timing }, keyOf)) {
          await lineage.experiments.updateJob(id, status, null, error ?? undefined);
          ended += 1;
        }
      },
    );
    return { ended };
  }
  return { endTraining };
}
