import { type Command, InvalidArgumentError } from 'commander';
import { policyOf } from '../../../domain/policies/policy.ts';
import { isTimezone, parseTimeOfDay, parseWeekly } from '../../../domain/schedules/times.ts';
import {
  fromPolicies,
  fromPolicy,
  fromTimes,
  type GivenTimes,
} from '../../../wiring/schedules/plan-schedules.ts';
import type { PlannedSchedule } from '../../../wiring/schedules/schedule.ts';
import { type Cli, type CommandContext, examples } from '../../command.ts';
import { CommandError } from '../../command-error.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import { parseWhole } from '../../options.ts';
import { table } from '../../render/table.ts';
import { requireWorkload } from '../../require-workload.ts';
import { withTemporal } from '../../services.ts';
import { exclusiveTarget, ownSchedules } from './target.ts';

interface SetOptions {
  readonly all?: boolean;
  readonly daily?: string;
  readonly weekly?: readonly string[];
  readonly volume?: number;
  readonly timezone?: string;
}

export function registerScheduleSet(schedule: Command, cli: Cli): void {
  schedule
    .command('set')
    .argument('[workload]', 'the workload; or --all')
    .description('Create or update schedules, as workloads.yaml says or at the times given')
    .option('--all', 'one schedule for all workloads that have none of that cadence for themselves')
    .option('--daily <time>', 'incremental runs, such as 02:00, where there is enough news', parseDaily)
    .option('--weekly <when...>', 'deep runs, such as sun 03:00')
    .option('--volume <n>', 'an incremental run after so many new records, at any time', parseWhole(1))
    .option('--timezone <name>', 'of the times, such as Europe/Berlin (default: the policy’s)', parseTimezone)
    .addHelpText(
      'after',
      `
The workers keep the schedules as workloads.yaml asks; this is for times that win over
the file's, and, without a time, for making everything what the file says at once: what
it does not ask for is deleted. A paused schedule stays paused. Put the workload before
--weekly, which takes two words.
${examples([
  'flywheel schedule set hr --daily 02:00 --weekly sun 03:00 --timezone Europe/Berlin',
  'flywheel schedule set --all --daily 02:00',
  'flywheel schedule set hr --volume 500',
  'flywheel schedule set --all      # as workloads.yaml says',
])}`,
    )
    .action(cli.run(set));
}

async function set(
  context: CommandContext,
  workload: string | undefined,
  options: SetOptions,
): Promise<ExitCode> {
  const target = exclusiveTarget(workload, options.all);
  const config = context.config();
  const policy = target === null ? config.policies.default : policyOf(config.policies, target);
  const times = givenTimes(options, policy.schedule.timezone);
  if (target !== null) await requireWorkload(config, target);
  return withTemporal(config, async (client) => {
    const { putSchedule, syncSchedules } = await import('../../../wiring/schedules/apply-schedules.ts');
    const { scheduleIds } = await import('../../../wiring/schedules/schedule-ids.ts');
    const applied = [];
    if (times) {
      for (const planned of fromTimes(target, times)) applied.push(await putSchedule(client, planned));
    } else {
      const planned: PlannedSchedule[] =
        target === null ? fromPolicies(config.policies) : fromPolicy(target, policy.schedule);
      const existing = await scheduleIds(client);
      const concerned = target === null ? existing : ownSchedules(existing, target);
      applied.push(...(await syncSchedules(client, planned, concerned)));
    }
    context.out.json(applied);
    if (applied.length === 0)
      context.out.line('workloads.yaml asks for no schedule here: give --daily, --weekly or --volume.');
    else
      context.out.line(
        table(
          ['schedule', 'change', 'when'],
          applied.map(({ schedule, change, when }) => [schedule, change, when ?? '–']),
        ),
      );
    return exitCodes.ok;
  });
}

/** null when the policy is to decide. */
function givenTimes({ daily, weekly, volume, timezone }: SetOptions, fallback: string): GivenTimes | null {
  if (daily === undefined && weekly === undefined && volume === undefined) {
    if (timezone === undefined) return null;
    throw usage('--timezone needs a time to be the zone of.', 'Add --daily 02:00 or --weekly sun 03:00.');
  }
  return {
    timezone: timezone ?? fallback,
    ...(daily !== undefined && { daily }),
    ...(weekly !== undefined && { weekly: weeklyTime(weekly) }),
    ...(volume !== undefined && { volume }),
  };
}

function weeklyTime(words: readonly string[]): string {
  const text = words.join(' ').trim().toLowerCase();
  if (parseWeekly(text)) return text;
  throw usage(
    `--weekly is "${text}"; it must be a day and a time such as sun 03:00.`,
    'Put the workload before --weekly.',
  );
}

function parseDaily(text: string): string {
  if (parseTimeOfDay(text)) return text;
  throw new InvalidArgumentError('It must be a time such as 02:00.');
}

function parseTimezone(text: string): string {
  if (isTimezone(text)) return text;
  throw new InvalidArgumentError('It must be an IANA time zone such as Europe/Berlin.');
}

function usage(message: string, next: string): CommandError {
  return new CommandError(message, { code: 'usage', exitCode: exitCodes.usage, next });
}
