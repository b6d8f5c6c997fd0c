import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';

/** The latest execution under a workflow id. */
export interface Execution {
  readonly workflowId: string;
  /** Temporal's id of this one execution: a message sent to it never reaches a later one. */
  readonly executionId: string;
  /** RUNNING, or PAUSED; else it has ended. */
  readonly open: boolean;
  readonly status: string;
}

/** null when Temporal has none: never started, or longer ago than Temporal keeps. */
export async function latestExecution(client: Client, workflowId: string): Promise<Execution | null> {
  try {
    const { runId, status } = await client.workflow.getHandle(workflowId).describe();
    const open = status.name === 'RUNNING' || status.name === 'PAUSED';
    return { workflowId, executionId: runId, open, status: status.name };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** How a closed execution ended, as the second half of a sentence: `was terminated: <reason>`. */
export async function howItEnded(
  client: Client,
  { workflowId, executionId, status }: Execution,
): Promise<string> {
  if (status === 'COMPLETED') return 'has completed';
  if (status === 'CANCELLED') return 'was cancelled';
  if (status === 'TIMED_OUT') return 'timed out';
  const reason = await reasonOf(client, workflowId, executionId);
  return `${status === 'TERMINATED' ? 'was terminated' : 'failed'}: ${reason}`;
}

async function reasonOf(client: Client, workflowId: string, executionId: string): Promise<string> {
  try {
    await client.workflow.getHandle(workflowId, executionId, { followRuns: false }).result();
    return 'no reason given';
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return innermost(error).message;
  }
}

/** "Activity task failed" is what stands around the reason. */
export function innermost(error: Error): Error {
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
