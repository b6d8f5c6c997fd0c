import type { Command } from 'commander';
import { type Cli, examples } from '../command.ts';
import { parseId } from '../options.ts';
import { pendingLine } from '../render/pending-run.ts';
import { nextCommands } from '../render/run-page.ts';
import { withLineage, withTemporal } from '../services.ts';

export function registerWatch(program: Command, cli: Cli): void {
  program
    .command('watch')
    .argument('<run>', 'a run id, or a workload for its newest run', parseId)
    .description('Follow a run live; in a pipe, one line per change. Ends with the run, by its outcome')
    .addHelpText(
      'after',
      examples(['flywheel watch hr', 'flywheel watch run-20260131t093000z-1a2b3c | tee run.log']),
    )
    .action(
      cli.run(async (context, name: string) => {
        const config = context.config();
        return withLineage(config, async (lineage) => {
          const { isPending, locateRun } = await import('../runs/pending-run.ts');
          const { followToEnd } = await import('../runs/follow-to-end.ts');
          const { view, exitCode } = await withTemporal(config, async (client) => {
            const run = await locateRun(lineage, client, name);
            if (isPending(run)) context.out.note(pendingLine(run));
            return followToEnd(context, { client, lineage, workload: run.workload, runId: run.runId });
          });
          context.out.json(view);
          for (const command of nextCommands(view)) context.out.line(`next: ${context.hint(command)}`);
          return exitCode;
        });
      }),
    );
}
