import {
  CancellationScope,
  ChildWorkflowCancellationType,
  log,
  ParentClosePolicy,
  startChild,
} from '@temporalio/workflow';
import { releasing } from './activity-options.ts';
import { reasonOf } from './failure-reason.ts';
import type { RolloutInput } from './messages.ts';
import { retirement } from './retirement.ts';
import { initialAttributes } from './search-attributes.ts';
import { workflowQueue } from './task-queues.ts';
import { retirementId } from './workflow-ids.ts';

/** A provider that is away now may be back by then. */
const againAfterMs = 60_000;

/** Gives back what the run had deployed: whatever it ends with, no accelerator stays taken for it. */
export function releaseRunModels(runId: string): Promise<void> {
  return orLog(() =>
    releasing.releaseRunModels.executeWithOptions({ summary: 'give deployments back' }, [{ runId }]),
  );
}

/**
 * Gives back what the route serves no more and would not go back to: at once what has had its time of grace, the
 * rest by a workflow that is left behind.
 */
export function retireRouteModels({ workloadId, moveId }: RolloutInput): Promise<void> {
  return orLog(async () => {
    const { keptForMs, unreleased } = await releaseNow(workloadId);
    if (keptForMs === undefined) return;
    await startChild(retirement, {
      workflowId: retirementId(moveId),
      taskQueue: workflowQueue,
      args: [{ workloadId, keptForMs, ...(unreleased && { unreleased }) }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      typedSearchAttributes: initialAttributes(workloadId, 'retiring'),
      staticSummary: `Give back what the route of ${workloadId} has left`,
    });
  });
}

/** For how long something is kept that will have to be given back; undefined where nothing is. */
async function releaseNow(
  workloadId: string,
): Promise<{ readonly keptForMs?: number; readonly unreleased?: true }> {
  try {
    return await releasing.releaseRouteModels.executeWithOptions(
      { summary: 'give retired deployments back' },
      [{ workloadId }],
    );
  } catch (error) {
    log.warn('Retired deployments are given back later', { reason: reasonOf(error) });
    return { keptForMs: againAfterMs, unreleased: true };
  }
}

/** `flywheel cleanup` finds what stayed; what the run or the move came to is told all the same. */
async function orLog(release: () => Promise<unknown>): Promise<void> {
  try {
    await CancellationScope.nonCancellable(release);
  } catch (error) {
    log.error('Deployments could not be given back', { reason: reasonOf(error) });
  }
}
