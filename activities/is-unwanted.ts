import { activityInfo, cancellationDetails, getClient, log } from '@temporalio/activity';

/** Whether this attempt was told to stop because nobody wants its result, and not because another takes over. */
export async function isUnwanted(): Promise<boolean> {
  const told = cancellationDetails();
  if (told?.cancelRequested) return true;
  if (told?.notFound !== true && told?.timedOut !== true) return false;
  return isOverdue() || workflowIsClosed();
}

/** The server's clock says when an activity was scheduled, and ends it; ours, that it heard of that. */
const clockSkewMs = 5_000;

/** The time for all its attempts is over: the workflow has gone on without it, and none comes after this one. */
function isOverdue(): boolean {
  const { scheduledTimestampMs, scheduleToCloseTimeoutMs } = activityInfo();
  const limited = scheduleToCloseTimeoutMs > 0;
  return limited && Date.now() + clockSkewMs >= scheduledTimestampMs + scheduleToCloseTimeoutMs;
}

/** `notFound` is also what an attempt hears that the server had given up; only the workflow itself tells. */
async function workflowIsClosed(): Promise<boolean> {
  const { workflowExecution } = activityInfo();
  if (workflowExecution === undefined) return false;
  try {
    const client = getClient();
    const handle = client.workflow.getHandle(workflowExecution.workflowId, workflowExecution.runId);
    // The activity's own signal, which the client would use, has aborted.
    const { status } = await client.withAbortSignal(AbortSignal.timeout(10_000), () => handle.describe());
    return status.name !== 'RUNNING' && status.name !== 'PAUSED';
  } catch (error) {
    log.warn('Whether the workflow is closed could not be found out', { error: String(error) });
    return false;
  }
}
