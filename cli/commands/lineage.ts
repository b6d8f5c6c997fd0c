import type { Command } from 'commander';
import { type Cli, examples } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseId } from '../options.ts';
import { traceText } from '../render/trace.ts';
import { requireWorkload } from '../require-workload.ts';
import { withLineage } from '../services.ts';

export function registerLineage(program: Command, cli: Cli): void {
  program
    .command('lineage')
    .argument('<workload>', 'a workload id', parseId)
    .description('Walk from a workload’s route back to the records that its model learned from')
    .addHelpText('after', examples(['flywheel lineage hr', 'flywheel lineage hr --json | jq .records.train']))
    .action(
      cli.run(async ({ config, out }, workload: string) => {
        const trace = await withLineage(config(), (lineage) => lineage.routes.trace(workload));
        if (trace.route === null) await requireWorkload(config(), workload);
        out.json(trace);
        out.line(traceText(trace, out.style));
        return exitCodes.ok;
      }),
    );
}
