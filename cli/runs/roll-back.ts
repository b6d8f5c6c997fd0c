import { randomUUID } from 'node:crypto';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { RolloutInput, RolloutResult } from '../../workflows/messages.ts';
import { initialAttributes } from '../../workflows/search-attributes.ts';
import { workflowQueue } from '../../workflows/task-queues.ts';
import { rolloutId } from '../../workflows/workflow-ids.ts';
import { CommandError } from '../command-error.ts';

/** Moves the route back by the same workflow that promotes, and waits for its proof. */
export async function rollBack(
  client: Client,
  wish: Pick<RolloutInput, 'workloadId' | 'actor' | 'reason'>,
): Promise<RolloutResult> {
  const input: RolloutInput = { ...wish, kind: 'rollback', moveId: `rollback:${randomUUID()}` };
  try {
    return await client.workflow.execute<(input: RolloutInput) => Promise<RolloutResult>>('rollout', {
      workflowId: rolloutId(wish.workloadId),
      taskQueue: workflowQueue,
      args: [input],
      typedSearchAttributes: initialAttributes(wish.workloadId, 'moving'),
      staticSummary: `Roll back ${wish.workloadId}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new CommandError(`Another move of the route of "${wish.workloadId}" is under way.`, {
      code: 'conflict',
      next: (hint) => `Wait for it: ${hint(`route ${wish.workloadId}`)}`,
      cause: error,
    });
  }
}
