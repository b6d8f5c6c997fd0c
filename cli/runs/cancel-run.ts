import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { turnQuery, withdrawSignal } from '../../workflows/messages.ts';
import { flywheelId } from '../../workflows/workflow-ids.ts';
import { CommandError } from '../command-error.ts';
import { hasEnded } from '../render/run-rows.ts';
import { isPending, locateRun, type PendingRun, turnOf } from './pending-run.ts';
import { viewOrNull } from './resolve-run.ts';

export interface CancelOptions {
  readonly lineage: Pick<Lineage, 'runs'>;
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
}

/**
 * Cancels the workflow of a run and waits until the lineage shows that it was cleaned up. A queued run is
 * withdrawn: the run before it goes on.
 */
export async function cancelRun(options: CancelOptions): Promise<Cancelled> {
  const { lineage, client, name, signal, note } = options;
  const run = await locateRun(lineage, client, name);
  const { runId, workload } = run;
  if (isPending(run)) {
    if (run.status === 'queued' && (await withdraw(client, run)))
      return { runId, workload, status: 'withdrawn' };
  } else if (hasEnded(run))
    throw new CommandError(`Run ${runId} has ended already: ${run.status}.`, {
      code: 'conflict',
      next:
        run.approval?.status === 'pending'
          ? `To decline what it found: npx flywheel reject ${runId} --reason "…"`
          : `npx flywheel show ${runId}`,
    });
  const handle = client.workflow.getHandle(flywheelId(workload));
  try {
    const turn = await handle.query(turnQuery);
    // The same workflow serves the workload's next run too: never cancel another run than the one named.
    if (turn.running !== null && turn.running !== runId)
      throw new CommandError(`The workload's flywheel is at work on ${turn.running}, not on ${runId}.`, {
        code: 'conflict',
        next: `npx flywheel show ${runId}`,
      });
    if (turn.queued !== null) note(`Run ${turn.queued}, which waits behind it, will start next.`);
    await handle.cancel();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  note('Cancelling; a training job is stopped and waited for …');
  for (;;) {
    const view = await viewOrNull(lineage, runId);
    if (view && hasEnded(view)) return { runId, workload, status: view.status };
    // Cancelled before its first step: nothing was begun, and no row tells of it.
    if (view === null && (await turnOf(client, workload))?.running !== runId)
      return { runId, workload, status: (await viewOrNull(lineage, runId))?.status ?? 'cancelled' };
    await sleep(500, undefined, { signal });
  }
}

/** False when it has begun meanwhile, and is to be cancelled as any run at work. */
async function withdraw(client: Client, { runId, workload }: PendingRun): Promise<boolean> {
  await client.workflow.getHandle(flywheelId(workload)).signal(withdrawSignal, { runId });
  // A query sees every signal that was sent before it.
  return (await turnOf(client, workload))?.running !== runId;
}
