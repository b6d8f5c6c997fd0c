import { log } from '@temporalio/activity';
import { endJob } from './end-jobs.ts';
import { isUnwanted } from './is-unwanted.ts';
import type { TrainingJob, TrainingProgress } from './ports/trainer.ts';
import type { Watch } from './watch-training.ts';

/**
 * After the activity was told to stop: ends the remote job if nobody wants it any more, and waits for that.
 *
 * | told because                   | job     | why                                                    |
 * |--------------------------------|---------|--------------------------------------------------------|
 * | the run was cancelled          | ended   | it must not go on costing                              |
 * | the workflow is closed         | ended   | terminated, timed out: nobody will collect the model   |
 * | no time is left for another    | ended   | the workflow has gone on without it                    |
 * | this attempt was given up      | goes on | another attempt has adopted it                         |
 * | worker shuts down, pause, reset| goes on | the next attempt adopts it                             |
 */
export async function endJobIfUnwanted(
  watch: Omit<Watch, 'signal'>,
  job: TrainingJob,
  progress: TrainingProgress | null,
): Promise<void> {
  if (!(await isUnwanted())) {
    log.info('The training goes on without this attempt', { jobId: job.id });
    return;
  }
  const ended = await endJob({ jobs: watch.trainer, timing: watch.timing }, job.id);
  const complaint = `Cancelled by its run, but the trainer had not ended it after ${watch.timing.endMs / 1000} s.`;
  if (ended === null) log.error(complaint, { jobId: job.id });
  try {
    const { status, error } = ended ?? { status: 'running', error: complaint };
    await watch.lineage.updateJob(job.id, status, progress, error ?? undefined);
  } catch (error) {
    // The cancellation must not turn into another failure: the job has ended, only its row does not say so.
    log.error('The end of the job could not be stored', { jobId: job.id, error: String(error) });
  }
}
