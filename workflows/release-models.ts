import { CancellationScope, log } from '@temporalio/workflow';
import { releasing } from './activity-options.ts';
import { reasonOf } from './failure-reason.ts';

/** Gives back what the run had deployed: whatever it ends with, no accelerator stays taken for it. */
export function releaseRunModels(runId: string): Promise<void> {
  return orLog(() =>
    releasing.releaseRunModels.executeWithOptions({ summary: 'give deployments back' }, [{ runId }]),
  );
}

/** Gives back what the route serves no more and would not go back to. */
export function releaseRouteModels(workloadId: string): Promise<void> {
  return orLog(() =>
    releasing.releaseRouteModels.executeWithOptions({ summary: 'give retired deployments back' }, [
      { workloadId },
    ]),
  );
}

/** `flywheel cleanup` finds what stayed; what the run or the move came to is told all the same. */
async function orLog(release: () => Promise<unknown>): Promise<void> {
  try {
    await CancellationScope.nonCancellable(release);
  } catch (error) {
    log.error('Deployments could not be given back', { reason: reasonOf(error) });
  }
}
