import type { Command } from 'commander';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import type { Config } from '../../config/config.ts';
import { type Cli, examples } from '../command.ts';
import { toCommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseId } from '../options.ts';
import { pendingPage } from '../render/pending-run.ts';
import { runPage } from '../render/run-page.ts';
import type { PendingRun } from '../runs/pending-run.ts';
import { findRun, noSuchRun } from '../runs/resolve-run.ts';
import { withLineage, withTemporal } from '../services.ts';

export function registerShow(program: Command, cli: Cli): void {
  program
    .command('show')
    .argument('<run>', 'a run id, or a workload for its newest run', parseId)
    .description('Show a run: data, leaderboard, verdict, approval, and what to do next')
    .addHelpText('after', examples(['flywheel show hr', 'flywheel show run-20260131t093000z-1a2b3c --json']))
    .action(
      cli.run(async ({ config, out, hint }, name: string) => {
        const run = await withLineage(config(), (lineage) => findOrLocate(config(), lineage, name));
        out.json(run);
        out.line('behind' in run ? pendingPage(run, hint) : runPage(run, out.style, hint));
        return exitCodes.ok;
      }),
    );
}

/** Temporal is asked for what the lineage does not have: a run that was asked for and has not begun. */
async function findOrLocate(config: Config, lineage: Lineage, name: string): Promise<RunView | PendingRun> {
  const found = await findRun(lineage, name);
  if (found) return found;
  const { locateRun } = await import('../runs/pending-run.ts');
  return withTemporal(config, (client) => locateRun(lineage, client, name)).catch((error: unknown) => {
    // Without Temporal nothing is at work; that the lineage has no such run is the better answer.
    throw toCommandError(error).code === 'unavailable' ? noSuchRun(name) : error;
  });
}
