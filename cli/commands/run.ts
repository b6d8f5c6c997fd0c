import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { type Strategy, strategies } from '../../domain/experiments/experiment.ts';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseId, parseList, parseWhole } from '../options.ts';
import { runPage } from '../render/run-page.ts';
import { requireWorkload } from '../require-workload.ts';
import { withLineage, withTemporal } from '../services.ts';
import { userName } from '../user-name.ts';

interface RunOptions {
  readonly candidates?: readonly string[];
  readonly strategies?: readonly Strategy[];
  readonly evalSize?: number;
  readonly seed?: number;
  readonly incremental?: boolean;
  readonly reason: string;
  readonly wait?: boolean;
}

export function registerRun(program: Command, cli: Cli): void {
  program
    .command('run')
    .argument('<workload>', 'the workload to look for a smaller model for', parseId)
    .description('Run the flywheel once for a workload: dataset, experiments, verdict')
    .option('--candidates <names>', 'names from candidates.yaml, comma-separated (default: all)', parseList)
    .option(
      '--strategies <names>',
      `of ${strategies.join(', ')} (default: each candidate’s own)`,
      parseStrategies,
    )
    .option('--eval-size <n>', 'records kept for evaluation', parseWhole(1))
    .option('--seed <n>', 'seed of the split, of training and of few-shot selection', parseWhole(0))
    .option(
      '--incremental',
      'read only records that no earlier incremental run made a dataset of (default: all records)',
    )
    .option('--reason <text>', 'why, for the lineage', 'asked for by hand')
    .option('--wait', 'show progress and return once the run has ended')
    .addHelpText(
      'after',
      examples([
        'flywheel run hr --wait',
        'flywheel run hr --strategies base,lora --eval-size 200 --seed 7',
        'flywheel run hr --candidates nano-1m --wait --json',
        'flywheel run hr --incremental --wait',
      ]),
    )
    .action(cli.run(run));
}

function parseStrategies(text: string): Strategy[] {
  return parseList(text).map((name) => {
    const strategy = strategies.find((known) => known === name);
    if (strategy) return strategy;
    throw new CommandError(`There is no strategy "${name}".`, {
      code: 'invalid_input',
      exitCode: exitCodes.usage,
      next: `Choose from ${strategies.join(', ')}.`,
    });
  });
}

async function run(context: CommandContext, workload: string, options: RunOptions): Promise<ExitCode> {
  const config = context.config();
  checkCandidates(config, options.candidates ?? []);
  await requireWorkload(config, workload);
  return withTemporal(config, async (client) => {
    const { startRun } = await import('../runs/start-run.ts');
    const { wait, incremental, ...wishes } = options;
    const receipt = await startRun(client, workload, {
      ...wishes,
      ...(incremental === true && { snapshotKind: 'incremental' }),
      requestedBy: userName(),
    });
    if (wait !== true) {
      announce(context, workload, receipt);
      return exitCodes.ok;
    }
    if (receipt.state === 'queued')
      context.out.note(`Another run of ${workload} is at work; ${receipt.runId} is next.`);
    const { followToEnd } = await import('../runs/follow-to-end.ts');
    return withLineage(config, async (lineage) => {
      const { view, exitCode } = await followToEnd(context, {
        client,
        lineage,
        workload,
        runId: receipt.runId,
      });
      context.out.json(view);
      context.out.line(`\n${runPage(view, context.out.style, context.hint)}`);
      return exitCode;
    });
  });
}

function announce(
  { out, hint }: CommandContext,
  workload: string,
  { runId, state }: { runId: string; state: 'started' | 'queued' },
): void {
  out.json({ runId, workload, state });
  out.line(
    state === 'started'
      ? `Run ${runId} of ${workload} has started.`
      : `Another run of ${workload} is at work; ${runId} is next.`,
  );
  out.line(`  follow it: ${hint(`watch ${runId}`)}`);
  if (state === 'queued') out.line(`  take it back: ${hint(`cancel ${runId}`)}`);
}

function checkCandidates(config: Config, wanted: readonly string[]): void {
  const known = config.candidates.map(({ name }) => name);
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new CommandError(`candidates.yaml has no candidate ${unknown.join(', ')}.`, {
    code: 'invalid_input',
    exitCode: exitCodes.usage,
    next: `Choose from ${known.join(', ')}.`,
  });
}
