import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Lineage, RunView } from '../../activities/ports/lineage.ts';
import { UnavailableError } from '../../domain/errors.ts';
import { flywheelId } from '../../workflows/workflow-ids.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { hasEnded } from '../render/run-rows.ts';
import { turnOf } from './pending-run.ts';
import { viewOrNull } from './resolve-run.ts';

const pollEveryMs = 700;
/** Temporal is asked more rarely: only to find out that a run will never end by itself. */
const checkWorkflowEveryMs = 10_000;
/** An outage shorter than this is waited out. */
const outagePatienceMs = 60_000;

export interface FollowOptions {
  readonly lineage: Pick<Lineage, 'runs'>;
  readonly client: Client | null;
  readonly runId: string;
  readonly workload: string;
  readonly signal: AbortSignal;
  readonly onView: (view: RunView) => void;
}

/** Follows a run until it has ended. Rejects when interrupted; the run itself goes on then. */
export async function followRun(options: FollowOptions): Promise<RunView> {
  let checkedAt = Date.now();
  let lastSeenAt = Date.now();
  for (;;) {
    options.signal.throwIfAborted();
    const view = await readPatiently(options, lastSeenAt);
    if (view !== undefined) lastSeenAt = Date.now();
    if (view) {
      options.onView(view);
      if (hasEnded(view)) return view;
    }
    if (Date.now() - checkedAt > checkWorkflowEveryMs) {
      checkedAt = Date.now();
      await checkWorkflow(options);
    }
    await sleep(pollEveryMs, undefined, { signal: options.signal });
  }
}

/** undefined: PostgreSQL did not answer; null: the run has not begun yet. */
async function readPatiently(
  options: FollowOptions,
  lastSeenAt: number,
): Promise<RunView | null | undefined> {
  try {
    return await viewOrNull(options.lineage, options.runId);
  } catch (error) {
    if (!(error instanceof UnavailableError) || Date.now() - lastSeenAt > outagePatienceMs) throw error;
    return undefined;
  }
}

/** A terminated workflow cannot close its run; nobody should wait for it for ever. */
async function checkWorkflow({ client, workload, runId, lineage }: FollowOptions): Promise<void> {
  if (client === null) return;
  const workflowId = flywheelId(workload);
  const { status } = await client.workflow.getHandle(workflowId).describe();
  const isOpen = status.name === 'RUNNING' || status.name === 'PAUSED';
  if (isOpen && (await isAwaited(client, workload, runId))) return;
  // Read last: it may have begun, or ended, since.
  const view = await viewOrNull(lineage, runId);
  if (view && (isOpen || hasEnded(view))) return;
  if (view === null)
    throw new CommandError(`Run ${runId} never began: it was withdrawn, or its workflow was ended.`, {
      code: 'never_began',
      next: `npx flywheel run ${workload}`,
    });
  throw new CommandError(
    `The workflow ${workflowId} is ${status.name.toLowerCase()}, and run ${runId} did not end properly.`,
    {
      code: 'run_lost',
      next: 'Look at it in the Temporal UI; start a new run by `npx flywheel run`.',
    },
  );
}

/** Whether it is at work or queued; true as well when no worker is there to tell. */
async function isAwaited(client: Client, workload: string, runId: string): Promise<boolean> {
  const turn = await turnOf(client, workload).catch(() => undefined);
  return turn === undefined || turn?.running === runId || turn?.queued === runId;
}

export function exitCodeOf(run: RunView): ExitCode {
  if (run.status !== 'completed') return exitCodes.failed;
  return run.verdict?.outcome === 'promote' ? exitCodes.ok : exitCodes.notPromoted;
}
