import type { Command } from 'commander';
import { type Cli, examples } from '../command.ts';
import { registerScheduleBackfill } from './schedule/backfill.ts';
import { registerScheduleControls } from './schedule/controls.ts';
import { registerScheduleList } from './schedule/list.ts';
import { registerScheduleSet } from './schedule/set.ts';
import { registerScheduleTrigger } from './schedule/trigger.ts';

export function registerSchedule(program: Command, cli: Cli): void {
  const schedule = program
    .command('schedule')
    .description('Runs that begin by themselves: daily, weekly, or after so many new records')
    .addHelpText(
      'after',
      examples([
        'flywheel schedule set hr --daily 02:00 --weekly sun 03:00 --timezone Europe/Berlin',
        'flywheel schedule set --all',
        'flywheel schedule list',
        'flywheel schedule trigger daily:hr --json',
      ]),
    );
  for (const register of [
    registerScheduleSet,
    registerScheduleList,
    registerScheduleControls,
    registerScheduleTrigger,
    registerScheduleBackfill,
  ])
    register(schedule, cli);
}
