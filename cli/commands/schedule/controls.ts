import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { type Cli, type CommandContext, examples } from '../../command.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import { parseReason } from '../../options.ts';
import { withTemporal } from '../../services.ts';
import { userName } from '../../user-name.ts';
import { findSchedules } from './target.ts';

const nameHelp = 'a schedule, such as daily:hr or daily; or a workload, for all of its own';

/** What ends, stops or goes on: `pause`, `resume`, `delete`. */
export function registerScheduleControls(schedule: Command, cli: Cli): void {
  schedule
    .command('pause')
    .argument('<schedule>', nameHelp)
    .description('Pause; nothing but resume ends it, no later `set` either')
    .option('--reason <text>', 'why, for whoever finds it paused', parseReason, 'paused by hand')
    .addHelpText('after', examples(['flywheel schedule pause daily:hr --reason "holidays"']))
    .action(
      cli.run((context, name: string, { reason }: { reason: string }) =>
        control(context, name, 'paused', (client, id) =>
          client.schedule.getHandle(id).pause(`${reason} (${userName()})`),
        ),
      ),
    );
  schedule
    .command('resume')
    .argument('<schedule>', nameHelp)
    .description('End a pause')
    .addHelpText('after', examples(['flywheel schedule resume daily:hr']))
    .action(
      cli.run((context, name: string) =>
        control(context, name, 'resumed', (client, id) =>
          client.schedule.getHandle(id).unpause(`resumed by ${userName()}`),
        ),
      ),
    );
  schedule
    .command('delete')
    .argument('<schedule>', nameHelp)
    .description('Delete; runs that it started go on')
    .addHelpText(
      'after',
      `\nOne that workloads.yaml asks for comes back when a worker starts: take it out of there, or pause it.\n${examples(['flywheel schedule delete weekly:hr', 'flywheel schedule delete hr'])}`,
    )
    .action(
      cli.run((context, name: string) =>
        control(context, name, 'deleted', async (client, id) => {
          const { deleteSchedule } = await import('../../../wiring/schedules/apply-schedules.ts');
          await deleteSchedule(client, id);
        }),
      ),
    );
}

async function control(
  { config, out }: CommandContext,
  name: string,
  change: 'paused' | 'resumed' | 'deleted',
  act: (client: Client, id: string) => Promise<void>,
): Promise<ExitCode> {
  const ids = await withTemporal(config(), async (client) => {
    const found = await findSchedules(client, name);
    for (const id of found) await act(client, id);
    return found;
  });
  out.json(ids.map((schedule) => ({ schedule, change })));
  for (const id of ids) out.line(`${id} is ${change}.`);
  return exitCodes.ok;
}
