import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, isGrpcServiceError } from '@temporalio/client';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { UnavailableError } from '../../domain/errors.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { hasEnded } from '../render/run-rows.ts';
import { closeLostRun } from './lost-run.ts';
import { turnOf } from './pending-run.ts';
import { viewOrNull } from './resolve-run.ts';

const pollEveryMs = 700;
/** Temporal is asked more rarely: only to find out that a run will never end by itself. */
const checkWorkflowEveryMs = 10_000;
/** An outage shorter than this is waited out. */
const outagePatienceMs = 60_000;

export interface FollowOptions {
  readonly lineage: Pick<Lineage, 'runs' | 'experiments'>;
  readonly client: Client | null;
  readonly runId: string;
  readonly workload: string;
  readonly signal: AbortSignal;
  readonly onView: (view: RunView) => void;
}

/** Follows a run until it has ended. Rejects when interrupted; the run itself goes on then. */
export async function followRun(options: FollowOptions): Promise<RunView> {
  const { client } = options;
  const done = new AbortController();
  const signal = AbortSignal.any([options.signal, done.signal]);
  try {
    // Side by side: a worker that is away keeps a question to Temporal waiting, not the picture of the run.
    const rivals = client ? [untilLost({ ...options, client, signal })] : [];
    return await Promise.race([untilEnded({ ...options, signal }), ...rivals]);
  } finally {
    done.abort();
  }
}

async function untilEnded(options: FollowOptions): Promise<RunView> {
  let lastSeenAt = Date.now();
  for (;;) {
    options.signal.throwIfAborted();
    const view = await readPatiently(options, lastSeenAt);
    if (view !== undefined) lastSeenAt = Date.now();
    if (view) {
      options.onView(view);
      if (hasEnded(view)) return view;
    }
    await sleep(pollEveryMs, undefined, { signal: options.signal });
  }
}

/** A terminated workflow cannot close its run: its row is closed here. Rejects for a run that has none. */
async function untilLost(options: FollowOptions & { client: Client }): Promise<never> {
  for (;;) {
    await checkWorkflow(options);
    await sleep(checkWorkflowEveryMs, undefined, { signal: options.signal });
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

async function checkWorkflow(options: FollowOptions & { client: Client }): Promise<void> {
  const { client, workload, runId, lineage } = options;
  try {
    const view = await viewOrNull(lineage, runId);
    if (view && hasEnded(view)) return;
    if (view === null && (await isAwaited(client, workload, runId))) return;
    if (view === null) return await refuseUnlessBegun(options);
    if ((await closeLostRun({ client, lineage }, options)) === 'unknown') throw unknownToTemporal(options);
  } catch (error) {
    if (!isOutage(error)) throw error;
  }
}

/** Temporal, its workers or PostgreSQL are away: they are asked again. */
function isOutage(error: unknown): boolean {
  return (
    error instanceof UnavailableError ||
    isGrpcServiceError(error) ||
    (error instanceof CommandError && error.exitCode === exitCodes.unavailable)
  );
}

function unknownToTemporal({ runId, workload }: FollowOptions): CommandError {
  return new CommandError(`Run ${runId} has not ended, and Temporal does not know its workflow.`, {
    code: 'run_lost',
    next: (hint) =>
      `See by \`${hint('doctor')}\` which Temporal is asked; if it is the right one: ${hint(`cancel ${runId}`)}, then ${hint(`run ${workload}`)}`,
  });
}

async function refuseUnlessBegun({ lineage, runId, workload }: FollowOptions): Promise<void> {
  if (await viewOrNull(lineage, runId)) return;
  throw new CommandError(`Run ${runId} never began: it was withdrawn, or its workflow was ended.`, {
    code: 'never_began',
    next: (hint) => hint(`run ${workload}`),
  });
}

async function isAwaited(client: Client, workload: string, runId: string): Promise<boolean> {
  const turn = await turnOf(client, workload);
  return turn?.running === runId || turn?.queued === runId;
}

export function exitCodeOf(run: RunView): ExitCode {
  if (run.status !== 'completed') return exitCodes.failed;
  return run.verdict?.outcome === 'promote' ? exitCodes.ok : exitCodes.notPromoted;
}
