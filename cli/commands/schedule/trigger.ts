import type { Command } from 'commander';
import { type Cli, type CommandContext, examples } from '../../command.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import { sweepLines } from '../../render/sweeps.ts';
import { withTemporal } from '../../services.ts';
import { findSchedule } from './target.ts';

export function registerScheduleTrigger(schedule: Command, cli: Cli): void {
  schedule
    .command('trigger')
    .argument('<schedule>', 'a schedule, such as daily:hr')
    .description('Sweep now, as if its time had come, and say what came of it; a pause does not matter')
    .addHelpText(
      'after',
      examples(['flywheel schedule trigger daily:hr', 'flywheel schedule trigger weekly --json']),
    )
    .action(cli.run(trigger));
}

async function trigger({ config, out }: CommandContext, name: string): Promise<ExitCode> {
  const { id, reports } = await withTemporal(config(), async (client) => {
    const { triggerSweep } = await import('../../schedules/trigger-sweep.ts');
    const found = await findSchedule(client, name);
    return { id: found, reports: await triggerSweep(client, found) };
  });
  out.json({ schedule: id, reports });
  const at = new Date().toISOString();
  if (reports.length === 0) out.line('There is no workload for this schedule yet.');
  else out.line(sweepLines(reports.map((report) => ({ ...report, at, scheduleId: id }))));
  return reports.some(({ outcome }) => outcome === 'failed') ? exitCodes.failed : exitCodes.ok;
}
