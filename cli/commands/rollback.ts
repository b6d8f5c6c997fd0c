import type { Command } from 'commander';
import { originalModel, toRouteView } from '../../domain/routes/route-view.ts';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseId, parseReason } from '../options.ts';
import { routeText } from '../render/route.ts';
import { withLineage, withTemporal } from '../services.ts';
import { userName } from '../user-name.ts';

interface RollbackOptions {
  readonly reason: string;
  readonly as?: string;
}

export function registerRollback(program: Command, cli: Cli): void {
  program
    .command('rollback')
    .argument('<workload>', 'a workload id', parseId)
    .description('Give a workload’s traffic back to what served it before')
    .option('--reason <text>', 'why, for the audit', parseReason, 'asked for by hand')
    .option('--as <name>', 'who decides (default: your login name)')
    .addHelpText(
      'after',
      examples(['flywheel rollback hr', 'flywheel rollback hr --reason "complaints about refunds"']),
    )
    .action(cli.run(rollback));
}

async function rollback(
  context: CommandContext,
  workload: string,
  options: RollbackOptions,
): Promise<ExitCode> {
  const config = context.config();
  return withLineage(config, async (lineage) => {
    const route = await lineage.routes.get(workload);
    if (route === null)
      throw new CommandError(`The traffic of "${workload}" was never moved: there is nothing to roll back.`, {
        code: 'not_found',
        next: (hint) => `\`${hint('workloads')}\` shows what serves each workload.`,
      });
    context.out.note(
      `Rolling ${workload} back from ${route.serving?.model ?? originalModel} to ${route.previous?.model ?? originalModel} …`,
    );
    return withTemporal(config, async (client) => {
      const { rollBack } = await import('../runs/roll-back.ts');
      const { reason, as: actor = userName() } = options;
      const result = await rollBack(client, { workloadId: workload, actor, reason });
      const view = toRouteView(workload, await lineage.routes.get(workload));
      context.out.json({ ...view, outcome: result.outcome });
      context.out.line(routeText(view, context.out.style));
      if (result.outcome === 'moved') return exitCodes.ok;
      context.out.note(
        `The route has moved back and stays so, but the gateway has not shown it: ${result.reason ?? 'no reason given'}`,
      );
      return exitCodes.failed;
    });
  });
}
