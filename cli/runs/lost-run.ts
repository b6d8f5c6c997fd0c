import type { Client } from '@temporalio/client';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { turnQuery } from '../../workflows/messages.ts';
import { flywheelId } from '../../workflows/workflow-ids.ts';
import { answeredByWorker } from './answered-by-worker.ts';
import { viewOrNull } from './resolve-run.ts';
import { type Execution, howItEnded, latestExecution } from './workflow-end.ts';

export interface OpenRun {
  readonly runId: string;
  readonly workload: string;
}

export interface LostRunPorts {
  readonly client: Client;
  readonly lineage: Pick<Lineage, 'runs' | 'experiments'>;
}

/**
 * Closes the row of a run whose workflow is gone: one that was terminated or timed out cannot do it itself,
 * and everybody would wait for it for ever. `kept`: it is queued, at work, or has ended properly. `unknown`: a
 * workflow that Temporal does not know proves nothing, it may be another Temporal.
 */
export async function closeLostRun(
  ports: LostRunPorts,
  run: OpenRun,
): Promise<'closed' | 'kept' | 'unknown'> {
  const loss = await lossOf(ports.client, run);
  if (typeof loss === 'string') return loss;
  return (await closeAsLost(ports.lineage, run.runId, loss.failure, loss.status)) ? 'closed' : 'kept';
}

interface Loss {
  readonly failure: string;
  readonly status: 'failed' | 'cancelled';
}

/** What became of an open run's workflow, if it is gone; nothing is written. */
export async function lossOf(client: Client, run: OpenRun): Promise<Loss | 'kept' | 'unknown'> {
  const execution = await latestExecution(client, flywheelId(run.workload));
  if (execution === null) return 'unknown';
  const failure = execution.open
    ? await replaced(client, execution, run.runId)
    : `Its workflow ${await howItEnded(client, execution)}.`;
  if (failure === null) return 'kept';
  return { failure, status: execution.status === 'CANCELLED' ? 'cancelled' : 'failed' };
}

/** False when it was closed before. */
export async function closeAsLost(
  lineage: Pick<Lineage, 'runs' | 'experiments'>,
  runId: string,
  failure: string,
  status: 'failed' | 'cancelled',
): Promise<boolean> {
  // Read last: it may have ended properly while Temporal was asked.
  if ((await viewOrNull(lineage, runId))?.status !== 'running') return false;
  await lineage.experiments.cancelOpen(runId);
  await lineage.runs.close(runId, status, failure);
  return true;
}

/** An open flywheel that is not about this run was started after this one's was ended. */
async function replaced(client: Client, execution: Execution, runId: string): Promise<string | null> {
  const { workflowId, executionId } = execution;
  const handle = client.workflow.getHandle(workflowId, executionId);
  const { running, queued } = await answeredByWorker(handle.query(turnQuery), `${workflowId} was asked`);
  if (running === runId || queued === runId) return null;
  return `Its workflow was ended from outside; ${running ?? 'no run'} is at work now.`;
}
