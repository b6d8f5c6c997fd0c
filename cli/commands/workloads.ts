import type { Command } from 'commander';
import { originalModel } from '../../domain/routes/route-view.ts';
import { type Cli, examples } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, moment } from '../render/format.ts';
import { table } from '../render/table.ts';
import { withLineage, withLogStore } from '../services.ts';

export function registerWorkloads(program: Command, cli: Cli): void {
  program
    .command('workloads')
    .description('List the workloads that have records, and what serves each')
    .addHelpText('after', examples(['flywheel workloads', 'flywheel workloads --json']))
    .action(
      cli.run(async ({ config, out, hint }) => {
        const [summaries, routes] = await Promise.all([
          withLogStore(config(), (logStore) => logStore.workloads()),
          withLineage(config(), (lineage) => lineage.routes.all()),
        ]);
        const served = new Map(
          routes.map((route) => [route.workloadId, route.serving?.model ?? originalModel]),
        );
        const rows = summaries.map(({ workloadId, ...summary }) => ({
          workload: workloadId,
          ...summary,
          model: served.get(workloadId) ?? originalModel,
        }));
        out.json(rows);
        if (rows.length === 0)
          out.line(`No records yet. Send traffic through the gateway, or: ${hint('import --help')}`);
        else
          out.line(
            table(
              ['workload', '>records', '>clients', 'first', 'last', 'served by'],
              rows.map((row) => [
                row.workload,
                count(row.records),
                count(row.clients),
                moment(row.firstTimestamp),
                moment(row.lastTimestamp),
                row.model,
              ]),
            ),
          );
        return exitCodes.ok;
      }),
    );
}
