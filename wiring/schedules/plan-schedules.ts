import { type Policies, policyOf, type SchedulePolicy } from '../../domain/policies/policy.ts';
import { cadences } from '../../domain/schedules/cadence.ts';
import type { PlannedSchedule } from './schedule.ts';

/** The times that a person gave on the command line. */
export interface GivenTimes {
  readonly daily?: string;
  readonly weekly?: string;
  readonly volume?: number;
  readonly timezone: string;
}

/** The schedules that a policy asks for. */
export function fromPolicy(
  workloadId: string | null,
  { daily, weekly, volume, timezone }: SchedulePolicy,
): PlannedSchedule[] {
  const times = { daily, weekly, volume: volume === null ? null : String(volume) };
  return cadences.flatMap((cadence) => {
    const when = times[cadence];
    return when === null ? [] : [{ cadence, workloadId, when, timezone, source: 'policy' as const }];
  });
}

export function fromTimes(
  workloadId: string | null,
  { daily, weekly, volume, timezone }: GivenTimes,
): PlannedSchedule[] {
  const given = { daily: daily ?? null, weekly: weekly ?? null, volume: volume ?? null };
  const planned = fromPolicy(workloadId, { ...given, timezone, minNewRecords: 0 });
  return planned.map((schedule) => ({ ...schedule, source: 'person' }));
}

/**
 * Everything that `workloads.yaml` asks for: the default's schedules for all workloads, and one for each
 * workload that wants another time.
 */
export function fromPolicies(policies: Policies): PlannedSchedule[] {
  const common = fromPolicy(null, policies.default.schedule);
  const own = Object.keys(policies.workloads).flatMap((workloadId) =>
    fromPolicy(workloadId, policyOf(policies, workloadId).schedule).filter(
      (schedule) => !common.some((other) => sameTime(other, schedule)),
    ),
  );
  return [...common, ...own];
}

function sameTime(left: PlannedSchedule, right: PlannedSchedule): boolean {
  if (left.cadence !== right.cadence || left.when !== right.when) return false;
  return left.cadence === 'volume' || left.timezone === right.timezone;
}
