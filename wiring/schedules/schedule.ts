import type { Cadence } from '../../domain/schedules/cadence.ts';

/** What a schedule is to do, before it is one of Temporal's. */
export interface PlannedSchedule {
  readonly cadence: Cadence;
  /** null: all workloads that have none of this cadence for themselves. */
  readonly workloadId: string | null;
  /** `02:00`, `sun 03:00`, or a number of new records. */
  readonly when: string;
  readonly timezone: string;
  /** Who wants it: `workloads.yaml`, or a person who gave its times. */
  readonly source: 'policy' | 'person';
}

/** One line for people: what `schedule list` and the Temporal UI show. */
export function inWords({ cadence, when, timezone }: Pick<PlannedSchedule, 'cadence' | 'when' | 'timezone'>) {
  return cadence === 'volume' ? `after ${when} new records` : `${cadence} ${when} ${timezone}`;
}
