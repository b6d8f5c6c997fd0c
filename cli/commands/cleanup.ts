import type { Command } from 'commander';
import type { CleanupReport } from '../cleanup/report.ts';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseWhole } from '../options.ts';
import { count } from '../render/format.ts';
import { table } from '../render/table.ts';

interface CleanupOptions {
  readonly dryRun?: boolean;
  readonly olderThan: number;
  readonly foreign?: boolean;
}

/** A week: as long as a gate waits for its decision, unless told otherwise. */
const defaultDays = 7;

export function registerCleanup(program: Command, cli: Cli): void {
  program
    .command('cleanup')
    .description(
      'Remove what Flywheel made at NeMo and nobody needs any more: deployments, adapters, datasets, jobs. ' +
        'Kept: what a route serves or would go back to, what a gate may promote or has approved, and everything ' +
        'while a run works; and what this database knows nothing of, which may be another Flywheel’s. ' +
        'Runs and gates whose workflow was terminated are closed first. Ends with 3 where a ' +
        'server could not be asked, or something not be removed; the rest is done.',
    )
    .option('--dry-run', 'only say what would be removed, and why the rest is kept')
    .option('--older-than <days>', 'leave what was made since', parseWhole(0), defaultDays)
    .option('--foreign', 'remove as well what no run of this database made; ask first whose it is')
    .addHelpText(
      'after',
      examples(['flywheel cleanup --dry-run', 'flywheel cleanup --older-than 30', 'flywheel cleanup --json']),
    )
    .action(cli.run(cleanup));
}

async function cleanup(
  { config, out, hint, signal }: CommandContext,
  { dryRun = false, olderThan, foreign = false }: CleanupOptions,
): Promise<ExitCode> {
  const { cleanUp } = await import('../cleanup/clean-up.ts');
  const report = await cleanUp(config(), { dryRun, olderThanDays: olderThan, foreign, signal });
  const { things, problems, notListed } = report;
  out.json({ dryRun, ...report });
  if (things.length > 0) out.line(thingsTable(report, dryRun, out));
  else if (problems.length === 0) out.line('Flywheel has left nothing that it can list.');
  const removed = things.filter(({ outcome }) => outcome === 'removed').length;
  if (dryRun && removed > 0) out.line(`\nTo remove ${count(removed)}: ${hint(asTyped(olderThan, foreign))}`);
  if (notListed.length > 0) {
    out.line(
      `\nNot listed: ${notListed.join(', ')}. What trainings uploaded and made there stays until it is removed there, by hand.`,
    );
  }
  for (const { who, reason } of problems) out.note(`${who} is missing here: ${reason}`);
  const failed = things.some(({ outcome }) => outcome === 'failed');
  return failed || problems.length > 0 ? exitCodes.unavailable : exitCodes.ok;
}

/** Removes what was listed, neither more nor less. */
function asTyped(olderThan: number, foreign: boolean): string {
  const days = olderThan === defaultDays ? '' : ` --older-than ${olderThan}`;
  return `cleanup${days}${foreign ? ' --foreign' : ''}`;
}

function thingsTable({ things }: CleanupReport, dryRun: boolean, { style }: CommandContext['out']): string {
  return table(
    ['provider', 'what', 'name', 'made', dryRun ? 'would be' : 'was'],
    things.map(({ provider, kind, id, createdAt, outcome, reason }) => [
      provider,
      kind,
      id,
      createdAt ?? '–',
      outcome === 'removed' ? style.yellow('removed') : `${outcome}: ${reason}`,
    ]),
  );
}
