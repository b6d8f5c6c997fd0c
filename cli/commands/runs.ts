import type { Command } from 'commander';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { type Cli, examples } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseId, parseWhole } from '../options.ts';
import { moment } from '../render/format.ts';
import { sweepLines } from '../render/sweeps.ts';
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
        const [runs, quiet] = await withLineage(config(), (lineage) =>
          Promise.all([lineage.runs.list(workload, limit), withoutRun(lineage, workload)]),
        );
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
        if (quiet.length > 0)
          out.line(`\nSwept without a run (${hint('schedule list')}):\n${sweepLines(quiet)}`);
        return exitCodes.ok;
      }),
    );
}

/** Why a schedule made no run lately, so that nobody looks for one. */
async function withoutRun({ sweeps }: Pick<Lineage, 'sweeps'>, workload: string | undefined) {
  const lately = await sweeps.list({ ...(workload !== undefined && { workloadId: workload }), limit: 50 });
  return lately.filter(({ runId }) => runId === null).slice(0, 5);
}
