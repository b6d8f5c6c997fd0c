import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import type { Flywheels } from '../activities/ports/flywheels.ts';
import type { RunTrigger, TriggerReceipt } from '../domain/runs/trigger.ts';
import type { Cadence } from '../domain/schedules/cadence.ts';
import type { FlywheelInput, FlywheelResult } from '../workflows/messages.ts';
import { triggerUpdate } from '../workflows/messages.ts';
import { initialAttributes } from '../workflows/search-attributes.ts';
import { workflowQueue } from '../workflows/task-queues.ts';
import { flywheelId, scheduleId } from '../workflows/workflow-ids.ts';

/** The flywheels on a Temporal server. */
export function createFlywheels(client: Client): Flywheels {
  return {
    trigger: (workloadId, trigger) => triggerRun(client, workloadId, trigger),
    scheduled: (cadence) => scheduledWorkloads(client, cadence),
  };
}

async function triggerRun(client: Client, workloadId: string, trigger: RunTrigger): Promise<TriggerReceipt> {
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
  // A broken connection rejects it as well, and the update tells why (sdk-typescript#1960).
  startWorkflowOperation.workflowHandle().catch(() => {});
  return client.workflow.executeUpdateWithStart(triggerUpdate, {
    args: [trigger],
    // The same id as the run's: the request sent twice by the network is one run.
    updateId: trigger.runId,
    startWorkflowOperation,
  });
}

async function scheduledWorkloads(client: Client, cadence: Cadence): Promise<ReadonlySet<string>> {
  const prefix = scheduleId(cadence, '');
  const found = new Set<string>();
  for await (const { scheduleId: id } of client.schedule.list())
    if (id.startsWith(prefix)) found.add(id.slice(prefix.length));
  return found;
}
