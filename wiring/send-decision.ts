import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictError, UnavailableError } from '../domain/errors.ts';
import type { Decision } from '../domain/verdicts/verdict.ts';
import { type DecideResult, decideUpdate } from '../workflows/messages.ts';
import { gateId } from '../workflows/workflow-ids.ts';
import type { WorkflowClient } from './open-workflow-client.ts';

/** A worker answers within a second; this long means that none is there. */
const patienceMs = 30_000;

/**
 * Hands a decision to the run's gate. The same id twice is one decision. Throws `ConflictError` where the gate
 * refuses it, or is closed, and `UnavailableError` where Temporal or the worker does not answer.
 */
export async function sendDecision(
  workflows: Pick<WorkflowClient, 'connected'>,
  runId: string,
  { id, ...decision }: Omit<Decision, 'actorSource'>,
): Promise<DecideResult> {
  const client = await workflows.connected();
  const answer = client.workflow
    .getHandle(gateId(runId))
    .executeUpdate(decideUpdate, { updateId: id, args: [decision] });
  const late = Symbol('late');
  const first = await Promise.race([
    answer.catch(async (error: unknown) => {
      throw await explained(error, runId);
    }),
    sleep(patienceMs, late, { ref: false }),
  ]);
  if (first !== late) return first;
  throw new UnavailableError(
    `The decision was sent, but no worker has answered within ${patienceMs / 1000} s. Temporal keeps it; look at the run again.`,
    { kind: 'timeout' },
  );
}

async function explained(error: unknown, runId: string): Promise<unknown> {
  const { isGrpcServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } = await import(
    '@temporalio/client'
  );
  if (error instanceof WorkflowUpdateFailedError)
    return new ConflictError(error.cause?.message ?? error.message, { cause: error });
  if (error instanceof WorkflowNotFoundError)
    return new ConflictError(`The gate of run ${runId} is closed.`, { cause: error });
  if (isGrpcServiceError(error)) return new UnavailableError('Temporal does not answer.', { cause: error });
  return error;
}
