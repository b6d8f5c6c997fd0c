import type { Client } from '@temporalio/client';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import type { CommandContext } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { exitCodeOf, followRun } from './follow-run.ts';
import { createRunDisplay } from './watch-run.ts';

export interface Followed {
  readonly view: RunView;
  readonly exitCode: ExitCode;
}

/** Shows a run until it has ended. Ctrl-C stops the showing, not the run. */
export async function followToEnd(
  context: CommandContext,
  target: {
    client: Client | null;
    lineage: Pick<Lineage, 'runs' | 'experiments'>;
    workload: string;
    runId: string;
  },
): Promise<Followed> {
  const display = createRunDisplay(context.out);
  try {
    const view = await followRun({
      ...target,
      signal: context.signal,
      onView: display.update,
    });
    return { view, exitCode: exitCodeOf(view) };
  } catch (error) {
    if (!context.signal.aborted) throw error;
    throw new CommandError(`Stopped watching; run ${target.runId} goes on.`, {
      code: 'interrupted',
      exitCode: exitCodes.interrupted,
      next: (hint) => `${hint(`watch ${target.runId}`)}, or ${hint(`cancel ${target.runId}`)}`,
    });
  } finally {
    display.done();
  }
}
