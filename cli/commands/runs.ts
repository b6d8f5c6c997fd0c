import type { Command } from 'commander';
import { type Cli, examples } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseId, parseWhole } from '../options.ts';
import { moment } from '../render/format.ts';
import { table } from '../render/table.ts';
import { withLineage } from '../services.ts';

export function registerRuns(program: Command, cli: Cli): void {
  program
    .command('runs')
    .argument('[workload]', 'only the runs of this workload', parseId)
    .description('List runs, newest first')
    .option('--limit <n>', 'at most so many', parseWhole(1), 20)
    .addHelpText('after', examples(['flywheel runs', 'flywheel runs hr --limit 5 --json']))
    .action(
      cli.run(async ({ config, out, hint }, workload: string | undefined, { limit }: { limit: number }) => {
        const runs = await withLineage(config(), (lineage) => lineage.runs.list(workload, limit));
        out.json(runs);
        if (runs.length === 0) out.line(`No runs yet. Start one: ${hint('run WORKLOAD --wait')}`);
        else
          out.line(
            table(
              ['run', 'workload', 'status', 'verdict', 'approval', 'started'],
              runs.map((run) => [
                run.runId,
                run.workload,
                run.status === 'running' ? `running: ${run.stage}` : run.status,
                run.verdict ?? '–',
                run.gate ?? '–',
                moment(run.startedAt),
              ]),
            ),
          );
        return exitCodes.ok;
      }),
    );
}
