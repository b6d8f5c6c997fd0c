import type { Client } from '@temporalio/client';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import type { Config } from '../../config/config.ts';
import { toRouteView } from '../../domain/routes/route-view.ts';
import { helpDeskWorkload } from '../../samples/help-desk/generate.ts';
import type { OpenLineage } from '../../wiring/open-lineage.ts';
import type { CommandContext } from '../command.ts';
import { toCommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { routeText } from '../render/route.ts';
import { runPage } from '../render/run-page.ts';
import { awaitRollout, decide } from '../runs/decide.ts';
import { followToEnd } from '../runs/follow-to-end.ts';
import { closeLostRun } from '../runs/lost-run.ts';
import { startRun } from '../runs/start-run.ts';
import { withLineage, withTemporal } from '../services.ts';
import { userName } from '../user-name.ts';
import { askForDecision } from './ask-for-decision.ts';
import { demoContext } from './demo-context.ts';
import { startDemoStack } from './demo-stack.ts';
import { interrupted } from './interrupted.ts';
import { showLiveCalls } from './live-calls.ts';
import { stopOpenRun } from './stop-open-run.ts';
import { logTraffic } from './traffic.ts';

export interface DemoOptions {
  readonly approve?: boolean;
  readonly reject?: boolean;
  readonly records: number;
  readonly seed: number;
  readonly keep?: boolean;
}

/** Everything that the demo works with once its stack answers. */
export interface Demo {
  readonly context: CommandContext;
  readonly options: DemoOptions;
  readonly config: Config;
  readonly lineage: OpenLineage;
  readonly client: Client;
}

/** Starts a stack, turns the flywheel once on synthetic traffic, and stops everything, however it ends. */
export async function runDemo(parent: CommandContext, options: DemoOptions): Promise<ExitCode> {
  const context = demoContext(parent);
  const { out } = context;
  step(context, 1, 'Start the stack');
  const stack = await startDemoStack(context, options.keep === true);
  try {
    // Read again: PostgreSQL makes its password at its first start.
    const config = context.config();
    const exitCode = await withLineage(config, (lineage) =>
      withTemporal(config, (client) => turn({ context, options, config, lineage, client })),
    );
    if (options.keep) showWhereToLook(context, config);
    return exitCode;
  } catch (error) {
    // What to type next is about the demo's stack, not about the one that the command line names.
    throw context.signal.aborted ? error : toCommandError(error).toldWith(context.hint);
  } finally {
    if (!options.keep || context.signal.aborted) {
      out.note('\nStopping the stack …');
      await stack.stop();
      out.note(`Stopped. State is kept in ${context.config().home}; --keep leaves the stack running.`);
    }
  }
}

async function turn(demo: Demo): Promise<ExitCode> {
  const { context, options, config } = demo;
  step(context, 2, 'Log some traffic');
  const questions = await logTraffic(context, config, options);
  step(context, 3, 'Run the flywheel: dataset, experiments, verdict');
  const run = await runOnce(demo);
  context.out.line(`\n${runPage(run, context.out.style, context.hint)}`);
  if (run.verdict?.outcome !== 'promote') {
    context.out.json({ run });
    context.out.line('\nNothing was good enough to be promoted, so the demo ends here.');
    return run.verdict === null ? exitCodes.failed : exitCodes.notPromoted;
  }
  step(context, 4, 'Ask a person');
  if (!(await decideOn(demo, run))) {
    context.out.json({ run: await demo.lineage.runs.view(run.runId) });
    context.out.line(`Not approved: ${helpDeskWorkload} stays with the model that serves it.`);
    return exitCodes.ok;
  }
  step(context, 5, 'Ask the promoted model, through the gateway');
  const calls = await showLiveCalls(context, config, { seed: options.seed, seen: questions });
  context.out.json({ run: await demo.lineage.runs.view(run.runId), calls });
  return exitCodes.ok;
}

async function runOnce(demo: Demo): Promise<RunView> {
  const { context, client, lineage, options } = demo;
  const runId = (await openRun(demo)) ?? (await begin(client, options.seed));
  try {
    const { view } = await followToEnd(context, { client, lineage, workload: helpDeskWorkload, runId });
    return view;
  } catch (error) {
    // Or the next start of this home would go on training something that nobody waits for.
    if (!context.signal.aborted) throw error;
    await stopOpenRun(demo, runId);
    throw interrupted('the run was cancelled', error);
  }
}

/** A demo that was killed leaves its run open: the workflow goes on where it was, and so do we. */
async function openRun({ context, client, lineage }: Demo): Promise<string | null> {
  const [newest] = await lineage.runs.list(helpDeskWorkload, 1);
  if (newest?.status !== 'running') return null;
  if ((await closeLostRun({ client, lineage }, newest)) === 'closed') {
    context.out.line(`Run ${newest.runId} of an earlier demo was ended from outside; beginning anew.`);
    return null;
  }
  context.out.line(`Run ${newest.runId} of an earlier demo is still open; going on with it.`);
  return newest.runId;
}

async function begin(client: Client, seed: number): Promise<string> {
  const wishes = { seed, reason: 'demo', requestedBy: userName() };
  return (await startRun(client, helpDeskWorkload, wishes)).runId;
}

/** Whether the run was approved and its winner serves now. */
async function decideOn(demo: Demo, run: RunView): Promise<boolean> {
  const { context, client, lineage } = demo;
  const { out } = context;
  const wish = await askForDecision(demo, run);
  if (wish) {
    const actor = userName();
    const result = await decide(client, run, { ...wish, actor, override: false });
    const moved = await awaitRollout(client, result);
    if (moved === null) return false;
    if (moved.outcome !== 'moved')
      out.note(`The move could not be proven: ${moved.reason ?? 'no reason given'}`);
  }
  const route = await lineage.routes.get(helpDeskWorkload);
  out.line(routeText(toRouteView(helpDeskWorkload, route), out.style));
  return route?.runId === run.runId;
}

function step({ out }: CommandContext, number: number, title: string): void {
  out.line(`\n${out.style.bold(`${number}. ${title}`)}`);
}

function showWhereToLook({ out, hint }: CommandContext, config: Config): void {
  out.line('\nThe stack goes on running. Look around:');
  const places = [
    ...(config.temporal.uiUrl ? [`${config.temporal.uiUrl}  workflows, step by step`] : []),
    `${config.gateway.url}/ready  what the gateway depends on`,
    hint(`lineage ${helpDeskWorkload}`),
    hint(`rollback ${helpDeskWorkload} --reason "…"`),
    `${hint('stop')}  stops everything`,
  ];
  for (const place of places) out.line(`  ${place}`);
}
