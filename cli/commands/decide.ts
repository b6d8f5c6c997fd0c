import type { Command } from 'commander';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { provenance } from '../../domain/records/provenance.ts';
import { toRouteView } from '../../domain/routes/route-view.ts';
import type { DecisionOutcome } from '../../domain/verdicts/verdict.ts';
import type { DecideResult } from '../../workflows/messages.ts';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseId, parseReason } from '../options.ts';
import { leaderboard } from '../render/leaderboard.ts';
import { routeText } from '../render/route.ts';
import { resolveGate } from '../runs/resolve-run.ts';
import { withLineage, withTemporal } from '../services.ts';
import { userName } from '../user-name.ts';

interface DecideOptions {
  readonly reason: string;
  readonly as?: string;
  readonly override?: boolean;
}

export function registerApprove(program: Command, cli: Cli): void {
  decision(program, 'approve')
    .description('Approve a run’s verdict: its winner gets the workload’s traffic')
    .option('--override', 'promote although the verdict is not "promote"; audited and shown for ever')
    .addHelpText(
      'after',
      examples([
        'flywheel approve hr --reason "checked 20 answers by hand"',
        'flywheel approve run-20260131t093000z-1a2b3c --as ana --reason "cost" --override',
      ]),
    )
    .action(
      cli.run((context, name: string, options: DecideOptions) => decideOn(context, 'approve', name, options)),
    );
}

export function registerReject(program: Command, cli: Cli): void {
  decision(program, 'reject')
    .description('Reject a run’s verdict: traffic stays where it is')
    .addHelpText('after', examples(['flywheel reject hr --reason "wrong on refunds"']))
    .action(
      cli.run((context, name: string, options: DecideOptions) => decideOn(context, 'reject', name, options)),
    );
}

function decision(program: Command, outcome: DecisionOutcome): Command {
  return program
    .command(outcome)
    .argument('<run>', 'a run id, or a workload for the run of it that waits', parseId)
    .requiredOption('--reason <text>', 'why, for the audit', parseReason)
    .option('--as <name>', 'who decides (default: your login name)');
}

async function decideOn(
  context: CommandContext,
  outcome: DecisionOutcome,
  name: string,
  options: DecideOptions,
): Promise<ExitCode> {
  const config = context.config();
  return withLineage(config, async (lineage) => {
    const run = await resolveGate(lineage, name);
    showEvidence(context, run);
    return withTemporal(config, async (client) => {
      const [{ awaitRollout, decide }, { refuseLostGate }] = await Promise.all([
        import('../runs/decide.ts'),
        import('../runs/lost-gate.ts'),
      ]);
      await refuseLostGate(client, lineage, run);
      const actor = options.as ?? userName();
      const override = options.override === true;
      const result = await decide(client, run, { outcome, actor, reason: options.reason, override });
      const decided = { runId: run.runId, workload: run.workload, status: result.status, digest: run.digest };
      if (result.status === 'approved') context.out.note(underWay(result));
      const moved = await awaitRollout(client, result);
      if (moved === null) {
        context.out.json(decided);
        context.out.line(`${run.runId} is ${result.status}; the route of ${run.workload} stays as it is.`);
        return exitCodes.ok;
      }
      const view = toRouteView(run.workload, await lineage.routes.get(run.workload));
      context.out.json({ ...decided, outcome: moved.outcome, route: view });
      context.out.line(routeText(view, context.out.style));
      if (moved.outcome === 'moved') return exitCodes.ok;
      context.out.note(
        `The move could not be proven and was taken back: ${moved.reason ?? 'no reason given'}`,
      );
      return exitCodes.failed;
    });
  });
}

function underWay({ rollout }: DecideResult): string {
  return rollout
    ? 'Approved. Moving the route and proving it through the gateway …'
    : 'Approved. Another move of this route is under way; this one begins when it has ended …';
}

/** A decision is about one exact digest: whoever decides sees which, and what stands behind it. */
function showEvidence({ out }: CommandContext, run: RunView): void {
  const remark = provenance(run);
  if (run.experiments.length > 0) out.line(`${leaderboard(run, out.style)}\n`);
  if (remark) out.line(`${out.style.yellow(remark)}\n`);
  out.line(`run ${run.runId}, digest ${run.digest ?? '–'}`);
}
