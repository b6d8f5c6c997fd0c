import { activityInfo, cancellationDetails, getClient, log } from '@temporalio/activity';

/** Whether this attempt was told to stop because nobody wants its result, and not because another takes over. */
export async function isUnwanted(): Promise<boolean> {
  const told = cancellationDetails();
  if (told?.cancelRequested) return true;
  return told?.notFound === true && (await workflowIsClosed());
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
