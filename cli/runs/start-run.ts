import { randomBytes } from 'node:crypto';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import { newRunId } from '../../domain/ids.ts';
import type { RunTrigger } from '../../domain/runs/trigger.ts';
import type { FlywheelInput, FlywheelResult, TriggerReceipt } from '../../workflows/messages.ts';
import { triggerUpdate } from '../../workflows/messages.ts';
import { initialAttributes } from '../../workflows/search-attributes.ts';
import { workflowQueue } from '../../workflows/task-queues.ts';
import { flywheelId } from '../../workflows/workflow-ids.ts';
import { answeredByWorker } from './answered-by-worker.ts';

/** Asks the workload's flywheel for a run; starts the workflow when none is open. */
export async function startRun(
  client: Client,
  workloadId: string,
  wishes: Omit<RunTrigger, 'runId'>,
): Promise<TriggerReceipt> {
  const runId = newRunId(new Date(), randomBytes(3).toString('hex'));
  const startWorkflowOperation = new WithStartWorkflowOperation<
    (input: FlywheelInput) => Promise<FlywheelResult>
  >('flywheel', {
    workflowId: flywheelId(workloadId),
    taskQueue: workflowQueue,
    args: [{ workloadId }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    typedSearchAttributes: initialAttributes(workloadId, 'planning'),
    staticSummary: `Flywheel of ${workloadId}`,
  });
  return answeredByWorker(
    client.workflow.executeUpdateWithStart(triggerUpdate, {
      args: [{ ...wishes, runId }],
      // The same id as the run's: the request sent twice by the network is one run.
      updateId: runId,
      startWorkflowOperation,
    }),
    `Run ${runId} was handed to Temporal`,
  );
}
