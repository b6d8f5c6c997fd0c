import { type Command, InvalidArgumentError } from 'commander';
import { type Cli, type CommandContext, examples } from '../../command.ts';
import { CommandError } from '../../command-error.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import { withTemporal } from '../../services.ts';
import { findSchedule } from './target.ts';

interface BackfillOptions {
  readonly from: Date;
  readonly to?: Date;
}

export function registerScheduleBackfill(schedule: Command, cli: Cli): void {
  schedule
    .command('backfill')
    .argument('<schedule>', 'a schedule, such as daily:hr')
    .description('Make up for the times that a schedule missed: one sweep for each, one after the other')
    .requiredOption('--from <time>', 'the first moment, RFC 3339 or a day in UTC', parseMoment)
    .option('--to <time>', 'the last moment (default: now)', parseMoment)
    .addHelpText(
      'after',
      `
A sweep looks at what is new now, and a record is in one incremental dataset only. So the
first of several sweeps takes what the missed days left, and the others say that there is
too little news.
${examples(['flywheel schedule backfill daily:hr --from 2026-11-18 --to 2026-11-20T12:00:00Z'])}`,
    )
    .action(cli.run(backfill));
}

function parseMoment(text: string): Date {
  const moment = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(moment.getTime())) return moment;
  throw new InvalidArgumentError('It must be a time such as 2026-11-18 or 2026-11-18T02:00:00Z.');
}

async function backfill(
  { config, out, hint }: CommandContext,
  name: string,
  { from, to = new Date() }: BackfillOptions,
): Promise<ExitCode> {
  if (from >= to)
    throw new CommandError('--from must be before --to.', { code: 'usage', exitCode: exitCodes.usage });
  const schedule = await withTemporal(config(), async (client) => {
    const id = await findSchedule(client, name);
    await client.schedule.getHandle(id).backfill({ start: from, end: to, overlap: 'BUFFER_ALL' });
    return id;
  });
  out.json({ schedule, from: from.toISOString(), to: to.toISOString() });
  out.line(`${schedule} makes up for its times from ${from.toISOString()} to ${to.toISOString()}.`);
  out.line(`  what came of it: ${hint('schedule list')}`);
  return exitCodes.ok;
}
