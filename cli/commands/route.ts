import type { Command } from 'commander';
import { toRouteView } from '../../domain/routes/route-view.ts';
import { type Cli, examples } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseId } from '../options.ts';
import { routeText } from '../render/route.ts';
import { requireWorkload } from '../require-workload.ts';
import { withLineage } from '../services.ts';

export function registerRoute(program: Command, cli: Cli): void {
  program
    .command('route')
    .argument('<workload>', 'a workload id', parseId)
    .description('Show which model serves a workload now, and which one did before')
    .addHelpText('after', examples(['flywheel route hr', 'flywheel route hr --json']))
    .action(
      cli.run(async ({ config, out }, workload: string) => {
        const route = await withLineage(config(), (lineage) => lineage.routes.get(workload));
        if (route === null) await requireWorkload(config(), workload);
        const view = toRouteView(workload, route);
        out.json(view);
        out.line(routeText(view, out.style));
        return exitCodes.ok;
      }),
    );
}
