import type { Command } from 'commander';
import { type Cli, examples } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseId } from '../options.ts';
import { withLineage, withTemporal } from '../services.ts';

export function registerCancel(program: Command, cli: Cli): void {
  program
    .command('cancel')
    .argument('<run>', 'a run id, or a workload for its newest run', parseId)
    .description('Cancel a run and wait until everything it started has stopped; take back a queued one')
    .addHelpText('after', examples(['flywheel cancel hr', 'flywheel cancel run-20260131t093000z-1a2b3c']))
    .action(
      cli.run(async ({ config, out, signal }, name: string) =>
        withLineage(config(), (lineage) =>
          withTemporal(config(), async (client) => {
            const { cancelRun } = await import('../runs/cancel-run.ts');
            const cancelled = await cancelRun({ lineage, client, name, signal, note: out.note });
            out.json(cancelled);
            out.line(
              `Run ${cancelled.runId} is ${cancelled.status}${cancelled.failure ? `: ${cancelled.failure}` : '.'}`,
            );
            return exitCodes.ok;
          }),
        ),
      ),
    );
}
