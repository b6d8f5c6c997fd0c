import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { CommandError, serviceDown } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';

/** A worker answers a message within a second; this long means that none is there. */
const patienceMs = 30_000;

/** Waits for a workflow's answer to a message, and tells apart: refused, no such workflow, no worker. */
export async function answeredByWorker<T>(answer: Promise<T>, what: string): Promise<T> {
  const late = Symbol('late');
  const first = await Promise.race([
    answer.catch((error: unknown) => {
      throw explain(error);
    }),
    sleep(patienceMs, late, { ref: false }),
  ]);
  if (first !== late) return first;
  throw new CommandError(`${what}, but no worker has answered within ${patienceMs / 1000} s.`, {
    code: 'no_worker',
    exitCode: exitCodes.unavailable,
    next: (hint) => `Start the workers by \`${hint('dev')}\`; Temporal keeps the message until then.`,
  });
}

function explain(error: unknown): unknown {
  if (error instanceof WorkflowUpdateFailedError)
    return new CommandError(error.cause?.message ?? error.message, { code: 'refused', cause: error });
  if (error instanceof WorkflowNotFoundError)
    return new CommandError('That workflow is not running any more.', { code: 'closed', cause: error });
  if (isGrpcServiceError(error)) return serviceDown('Temporal', error);
  return error;
}
