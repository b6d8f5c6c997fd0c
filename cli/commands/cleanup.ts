import type { Command } from 'commander';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseWhole } from '../options.ts';
import { count } from '../render/format.ts';
import { table } from '../render/table.ts';

interface CleanupOptions {
  readonly dryRun?: boolean;
  readonly olderThan: number;
}

/** A week: as long as a gate waits for its decision, unless told otherwise. */
const defaultDays = 7;

export function registerCleanup(program: Command, cli: Cli): void {
  program
    .command('cleanup')
    .description(
      'Remove what Flywheel made at NeMo and nobody needs any more: deployments, adapters, datasets, jobs. ' +
        'Kept: what a route serves or would go back to, what an open gate may promote, what a run works with.',
    )
    .option('--dry-run', 'only say what would be removed, and why the rest is kept')
    .option('--older-than <days>', 'leave what was made since', parseWhole(0), defaultDays)
    .addHelpText(
      'after',
      examples(['flywheel cleanup --dry-run', 'flywheel cleanup --older-than 30', 'flywheel cleanup --json']),
    )
    .action(cli.run(cleanup));
}

async function cleanup(
  { config, out, hint }: CommandContext,
  { dryRun = false, olderThan }: CleanupOptions,
): Promise<ExitCode> {
  const { cleanUp } = await import('../cleanup/clean-up.ts');
  const found = await cleanUp(config(), { dryRun, olderThanDays: olderThan });
  out.json({ dryRun, things: found });
  if (found.length === 0) {
    out.line('Flywheel has left nothing at its providers.');
    return exitCodes.ok;
  }
  out.line(
    table(
      ['provider', 'what', 'name', 'made', dryRun ? 'would be' : 'was'],
      found.map(({ provider, kind, id, createdAt, outcome, reason }) => [
        provider,
        kind,
        id,
        createdAt ?? '?',
        outcome === 'removed' ? out.style.yellow('removed') : `${outcome}: ${reason}`,
      ]),
    ),
  );
  const removed = found.filter(({ outcome }) => outcome === 'removed').length;
  if (dryRun && removed > 0) out.line(`\nTo remove ${count(removed)}: ${hint('cleanup')}`);
  return found.some(({ outcome }) => outcome === 'failed') ? exitCodes.unavailable : exitCodes.ok;
}
