import type { Command } from 'commander';
import { type Cli, examples } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { runPage } from '../render/run-page.ts';
import { resolveRun } from '../runs/resolve-run.ts';
import { withLineage } from '../services.ts';

export function registerShow(program: Command, cli: Cli): void {
  program
    .command('show')
    .argument('<run>', 'a run id, or a workload for its newest run')
    .description('Show a run: data, leaderboard, verdict, approval, and what to do next')
    .addHelpText('after', examples(['flywheel show hr', 'flywheel show run-20260131t093000z-1a2b3c --json']))
    .action(
      cli.run(async ({ config, out, hint }, name: string) => {
        const view = await withLineage(config(), (lineage) => resolveRun(lineage, name));
        out.json(view);
        out.line(runPage(view, out.style, hint));
        return exitCodes.ok;
      }),
    );
}
