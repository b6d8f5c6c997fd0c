import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictError, UnavailableError } from '../domain/errors.ts';
import { newRunId } from '../domain/ids.ts';
import type { RunTrigger, TriggerReceipt } from '../domain/runs/trigger.ts';
import type { WorkflowClient } from './open-workflow-client.ts';

/** A worker answers within a second; this long means that none is there. */
const patienceMs = 30_000;

/**
 * Asks the workload's flywheel for a run, on behalf of an HTTP client. Throws `ConflictError` where it refuses the
 * wishes, and `UnavailableError` where Temporal or the worker does not answer.
 */
export async function triggerRun(
  workflows: Pick<WorkflowClient, 'connected'>,
  workloadId: string,
  wishes: Omit<RunTrigger, 'runId'>,
): Promise<TriggerReceipt> {
  const client = await workflows.connected();
  const { createFlywheels } = await import('./flywheels.ts');
  const runId = newRunId(new Date(), randomBytes(3).toString('hex'));
  const answer = createFlywheels(client).trigger(workloadId, { ...wishes, runId });
  const late = Symbol('late');
  const first = await Promise.race([
    answer.catch(async (error: unknown) => {
      throw await explained(error);
    }),
    sleep(patienceMs, late, { ref: false }),
  ]);
  if (first !== late) return first;
  throw new UnavailableError(
    `Run ${runId} was handed to Temporal, but no worker has answered within ${patienceMs / 1000} s. Temporal keeps it; look at the runs before asking again.`,
    { kind: 'timeout' },
  );
}

async function explained(error: unknown): Promise<unknown> {
  const { isGrpcServiceError, WorkflowUpdateFailedError } = await import('@temporalio/client');
  if (error instanceof WorkflowUpdateFailedError)
    return new ConflictError(error.cause?.message ?? error.message, { cause: error });
  if (isGrpcServiceError(error)) return new UnavailableError('Temporal does not answer.', { cause: error });
  return error;
}
