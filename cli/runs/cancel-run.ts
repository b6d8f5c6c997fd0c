import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { turnQuery, withdrawSignal } from '../../workflows/messages.ts';
import { flywheelId } from '../../workflows/workflow-ids.ts';
import { CommandError } from '../command-error.ts';
import { hasEnded } from '../render/run-rows.ts';
import { answeredByWorker } from './answered-by-worker.ts';
import { closeAsLost, closeLostRun } from './lost-run.ts';
import { isPending, locateRun, type PendingRun, turnOf } from './pending-run.ts';
import { viewOrNull } from './resolve-run.ts';
import { type Execution, latestExecution } from './workflow-end.ts';

export interface CancelOptions {
  readonly lineage: Pick<Lineage, 'runs' | 'experiments'>;
  readonly client: Client;
  /** A run id or a workload. */
  readonly name: string;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

export interface Cancelled {
  readonly runId: string;
  readonly workload: string;
  readonly status: string;
  /** How it ended, where that was not by this cancellation. */
  readonly failure?: string;
}

/** How often Temporal is asked whether the workflow is still there. */
const checkWorkflowEveryMs = 5_000;

/**
 * Cancels the workflow of a run and waits until the lineage shows that it was cleaned up. A queued run is
 * withdrawn: the run before it goes on.
 */
export async function cancelRun(options: CancelOptions): Promise<Cancelled> {
  const { lineage, client, name, signal } = options;
  const run = await locateRun(lineage, client, name);
  const { runId, workload } = run;
  if (isPending(run)) {
    if (run.status === 'queued' && (await withdraw(client, run)))
      return { runId, workload, status: 'withdrawn' };
  } else if (hasEnded(run)) throw endedAlready(run);
  const execution = await latestExecution(client, flywheelId(workload));
  if (execution?.open) await requestCancellation(options, execution, run);
  for (let checkedAt = 0; ; await sleep(500, undefined, { signal })) {
    const view = await viewOrNull(lineage, runId);
    if (view && hasEnded(view)) return { runId, workload, ...outcomeOf(view) };
    // Cancelled before its first step: nothing was begun, and no row tells of it.
    if (view === null && (await turnOf(client, workload))?.running !== runId)
      return { runId, workload, status: (await viewOrNull(lineage, runId))?.status ?? 'cancelled' };
    // Ended from outside, before or after it was asked to cancel: then nobody else closes its row.
    if (view && Date.now() - checkedAt > checkWorkflowEveryMs) {
      checkedAt = Date.now();
      if ((await closeLostRun({ client, lineage }, run)) === 'unknown')
        await closeAsLost(lineage, runId, 'Cancelled; Temporal does not know its workflow.', 'cancelled');
    }
  }
}

function outcomeOf({ status, failure }: RunView): Pick<Cancelled, 'status' | 'failure'> {
  return { status, ...(status !== 'cancelled' && failure !== undefined && { failure }) };
}

function endedAlready({ runId, status, approval }: RunView): CommandError {
  return new CommandError(`Run ${runId} has ended already: ${status}.`, {
    code: 'conflict',
    next: (hint) =>
      approval?.status === 'pending'
        ? `To decline what it found: ${hint(`reject ${runId} --reason "…"`)}`
        : hint(`show ${runId}`),
  });
}

/** Of exactly that execution: the same workflow id serves the workload's next run too. */
async function requestCancellation(
  { client, note }: CancelOptions,
  { workflowId, executionId }: Execution,
  { runId }: { readonly runId: string },
): Promise<void> {
  const handle = client.workflow.getHandle(workflowId, executionId);
  try {
    const turn = await turnUnlessNoWorker(handle, workflowId);
    if (turn && turn.running !== null && turn.running !== runId) return;
    if (turn?.queued) note(`Run ${turn.queued}, which waits behind it, will start next.`);
    await handle.cancel();
    note(
      turn
        ? 'Cancelling; a training job is stopped and waited for …'
        : 'Cancelled at Temporal; no worker answers, so it is carried out when one is there again …',
    );
  } catch (error) {
    // It closed while it was asked.
    if (!(error instanceof WorkflowNotFoundError) && !isClosed(error)) throw error;
  }
}

/** Null when no worker is there to ask: the lineage has the run at work, and Temporal keeps a cancellation. */
async function turnUnlessNoWorker(handle: WorkflowHandle, workflowId: string) {
  try {
    return await answeredByWorker(handle.query(turnQuery), `${workflowId} was asked for its runs`);
  } catch (error) {
    if (error instanceof CommandError && error.code === 'no_worker') return null;
    throw error;
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof CommandError && error.code === 'closed';
}

/** False when it has begun meanwhile, and is to be cancelled as any run at work. */
async function withdraw(client: Client, { runId, workload }: PendingRun): Promise<boolean> {
  await client.workflow.getHandle(flywheelId(workload)).signal(withdrawSignal, { runId });
  // A query sees every signal that was sent before it.
  return (await turnOf(client, workload))?.running !== runId;
}
