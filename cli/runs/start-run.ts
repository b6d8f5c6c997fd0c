import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { newRunId } from '../../domain/ids.ts';
import type { RunTrigger, TriggerReceipt } from '../../domain/runs/trigger.ts';
import { createFlywheels } from '../../wiring/flywheels.ts';
import { answeredByWorker } from './answered-by-worker.ts';

/** Asks the workload's flywheel for a run; starts the workflow when none is open. */
export async function startRun(
  client: Client,
  workloadId: string,
  wishes: Omit<RunTrigger, 'runId'>,
): Promise<TriggerReceipt> {
  const runId = newRunId(new Date(), randomBytes(3).toString('hex'));
  return answeredByWorker(
    createFlywheels(client).trigger(workloadId, { ...wishes, runId }),
    `Run ${runId} was handed to Temporal`,
  );
}
