import { Context } from '@temporalio/activity';

/**
 * The run id of the workflow that the present activity is of, without its dashes: found in the Temporal UI, and a
 * trace id as it stands. null outside of an activity.
 */
export function currentTraceId(): string | null {
  return workflowRunId()?.replaceAll('-', '').toLowerCase() ?? null;
}

function workflowRunId(): string | undefined {
  try {
    return Context.current().info.workflowExecution?.runId;
  } catch {
    // Outside of an activity there is no context, which the SDK says by throwing.
    return undefined;
  }
}
