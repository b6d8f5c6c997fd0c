import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { turnQuery } from '../../workflows/messages.ts';
import { flywheelId } from '../../workflows/workflow-ids.ts';
import { answeredByWorker } from './answered-by-worker.ts';
import { findRun, noSuchRun } from './resolve-run.ts';

/** A run that was asked for and has not begun: the lineage has no row of it. */
export interface PendingRun {
  readonly runId: string;
  readonly workload: string;
  readonly status: 'queued' | 'starting';
  /** The run at work that a queued one waits for. */
  readonly behind: string | null;
}

/** Temporal lists a new workflow a moment after its start. */
const listedWithinMs = 3_000;

/**
 * The run that a name stands for, begun or not: a run id, or a workload for its newest run. Throws a
 * `CommandError` when neither the lineage nor an open flywheel knows it.
 */
export async function locateRun(
  lineage: Pick<Lineage, 'runs'>,
  client: Client,
  name: string,
): Promise<RunView | PendingRun> {
  const deadline = Date.now() + (name.startsWith('run-') ? listedWithinMs : 0);
  for (;;) {
    // In this order once more: it may begin between the two questions.
    const found = (await findRun(lineage, name)) ?? (await findPending(client, name));
    if (found) return found;
    if (Date.now() >= deadline) break;
    await sleep(300);
  }
  const begun = await findRun(lineage, name);
  if (begun) return begun;
  throw noSuchRun(name);
}

export function isPending(run: RunView | PendingRun): run is PendingRun {
  return run.status === 'queued' || run.status === 'starting';
}

/** Asks the open flywheels. An id does not tell its workload, hence all of them; each workload has one at most. */
async function findPending(client: Client, name: string): Promise<PendingRun | null> {
  const own = await pendingOf(client, name, name);
  if (own || !name.startsWith('run-')) return own;
  const query = `WorkflowType = 'flywheel' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    const found = await pendingOf(client, workflowId.slice(flywheelId('').length), name);
    if (found) return found;
  }
  return null;
}

async function pendingOf(client: Client, workload: string, name: string): Promise<PendingRun | null> {
  const turn = await turnOf(client, workload);
  if (turn === null) return null;
  const { running, queued } = turn;
  if (queued !== null && name === queued)
    return { runId: queued, workload, status: 'queued', behind: running };
  if (running !== null && (name === running || name === workload))
    return { runId: running, workload, status: 'starting', behind: null };
  return null;
}

/** What the workload's open flywheel is at work on; null when none is open. */
export async function turnOf(
  client: Client,
  workload: string,
): Promise<{ running: string | null; queued: string | null } | null> {
  const handle = client.workflow.getHandle(flywheelId(workload));
  try {
    const { status } = await handle.describe();
    if (status.name !== 'RUNNING' && status.name !== 'PAUSED') return null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
  return answeredByWorker(handle.query(turnQuery), `The flywheel of ${workload} was asked for its runs`);
}
