import type { Command } from 'commander';
import { type Cli, examples } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import { moment } from '../../render/format.ts';
import { sweepLines } from '../../render/sweeps.ts';
import { table } from '../../render/table.ts';
import type { ScheduleView } from '../../schedules/list-schedules.ts';
import { withLineage, withTemporal } from '../../services.ts';

export function registerScheduleList(schedule: Command, cli: Cli): void {
  schedule
    .command('list')
    .description('List the schedules: when, the next time, and what the last sweep did')
    .addHelpText('after', examples(['flywheel schedule list', 'flywheel schedule list --json']))
    .action(
      cli.run(async ({ config, out, hint }) => {
        const views = await withLineage(config(), (lineage) =>
          withTemporal(config(), async (client) => {
            const { listSchedules } = await import('../../schedules/list-schedules.ts');
            return listSchedules(client, lineage);
          }),
        );
        out.json(views);
        if (views.length === 0)
          out.line(`No schedules yet. Make one: ${hint('schedule set WORKLOAD --daily 02:00')}`);
        else out.line(page(views));
        return exitCodes.ok;
      }),
    );
}

function page(views: readonly ScheduleView[]): string {
  const rows = views.map(({ schedule, workload, when, source, next, paused, note }) => [
    schedule,
    workload ?? 'all others',
    when,
    source === 'policy' ? 'workloads.yaml' : 'schedule set',
    paused ? `paused${note ? `: ${note}` : ''}` : moment(next ?? ''),
  ]);
  const last = views.flatMap((view) => view.last.map((report) => ({ ...report, scheduleId: view.schedule })));
  return [
    table(['schedule', 'workload', 'when', 'by', 'next'], rows),
    ...(last.length > 0 ? ['', 'Last sweeps:', sweepLines(last)] : []),
  ].join('\n');
}
