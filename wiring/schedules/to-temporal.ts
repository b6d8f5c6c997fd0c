import type { ScheduleOptions, ScheduleOptionsStartWorkflowAction } from '@temporalio/client';
import { parseTimeOfDay, parseWeekly, type Weekday } from '../../domain/schedules/times.ts';
import type { SweepInput, SweepResult } from '../../workflows/messages.ts';
import { initialAttributes } from '../../workflows/search-attributes.ts';
import { workflowQueue } from '../../workflows/task-queues.ts';
import { scheduleId, sweepId } from '../../workflows/workflow-ids.ts';
import { inWords, type PlannedSchedule } from './schedule.ts';

type Sweep = (input: SweepInput) => Promise<SweepResult>;
export type SweepAction = ScheduleOptionsStartWorkflowAction<Sweep>;
type Policies = NonNullable<ScheduleOptions<SweepAction>['policies']>;

/**
 * What happens when sweeps meet, and after an outage. A sweep takes seconds, so that two hardly ever meet;
 * records that a missed one would have seen are news for the next.
 *
 * - daily: a second one is left out; one missed for up to 6 h is made up for, still in the same morning.
 * - weekly: a second one waits; the next is a week away, so that one missed for up to a day is made up for.
 * - volume: looks every five minutes; a missed look is not worth making up for (10 s is Temporal's least).
 */
const policies: Record<PlannedSchedule['cadence'], Policies> = {
  daily: { overlap: 'SKIP', catchupWindow: '6 hours' },
  weekly: { overlap: 'BUFFER_ONE', catchupWindow: '1 day' },
  volume: { overlap: 'SKIP', catchupWindow: '10 seconds' },
};

/** So that the workloads' runs do not all begin in the same second. */
const jitter = { daily: '10 minutes', weekly: '30 minutes', volume: '30 seconds' } as const;

/** A look is two counts. */
const lookEvery = '5 minutes';

/** Nothing that a sweep does takes long; one that still waits for an outage to pass is no use the next day. */
const sweepTimeout = '20 hours';

/** The schedule as Temporal knows it. It starts `sweep`, and nothing else. */
export function toTemporal(schedule: PlannedSchedule): ScheduleOptions<SweepAction> {
  const { cadence, workloadId, when, timezone, source } = schedule;
  const id = scheduleId(cadence, workloadId);
  const input: SweepInput = {
    cadence,
    scheduleId: id,
    ...(workloadId === null ? {} : { workloadId }),
    ...(cadence === 'volume' ? { volume: Number(when) } : {}),
    ...(source === 'policy' ? { source } : {}),
  };
  return {
    scheduleId: id,
    spec: { ...times(schedule), timezone, jitter: jitter[cadence] },
    policies: policies[cadence],
    action: {
      type: 'startWorkflow',
      workflowType: 'sweep',
      workflowId: sweepId(id),
      taskQueue: workflowQueue,
      args: [input],
      workflowExecutionTimeout: sweepTimeout,
      typedSearchAttributes: initialAttributes(workloadId ?? '(all)', 'sweeping'),
      staticSummary: `${inWords(schedule)}, ${workloadId ?? 'all workloads'}`,
    },
  };
}

const weekdayNames = {
  sun: 'SUNDAY',
  mon: 'MONDAY',
  tue: 'TUESDAY',
  wed: 'WEDNESDAY',
  thu: 'THURSDAY',
  fri: 'FRIDAY',
  sat: 'SATURDAY',
} as const satisfies Record<Weekday, string>;

function times(
  schedule: PlannedSchedule,
): Pick<ScheduleOptions<SweepAction>['spec'], 'calendars' | 'intervals'> {
  const { cadence, when } = schedule;
  const comment = inWords(schedule);
  if (cadence === 'volume') return { intervals: [{ every: lookEvery }] };
  const weekly = cadence === 'weekly' ? parseWeekly(when) : null;
  const { hour, minute } = weekly ?? parseTimeOfDay(when) ?? unreadable(when);
  return {
    calendars: [{ hour, minute, ...(weekly && { dayOfWeek: weekdayNames[weekly.weekday] }), comment }],
  };
}

function unreadable(when: string): never {
  throw new TypeError(`not a time: ${when}`);
}
