import { type Client, ScheduleNotFoundError } from '@temporalio/client';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { Cadence } from '../../domain/schedules/cadence.ts';
import type { SweepReport } from '../../domain/schedules/sweep.ts';
import { cadenceOf, scheduleIds } from '../../wiring/schedules/schedule-ids.ts';
import type { SweepInput } from '../../workflows/messages.ts';

/** A schedule as `schedule list` shows it. */
export interface ScheduleView {
  readonly schedule: string;
  readonly cadence: Cadence;
  /** null: all workloads that have none of this cadence for themselves. */
  readonly workload: string | null;
  readonly when: string;
  readonly timezone: string;
  /** Who wants it: `workloads.yaml`, or a person who gave its times. */
  readonly source: 'policy' | 'person';
  readonly paused: boolean;
  /** Why it is paused, as its person wrote it. */
  readonly note: string | null;
  /** RFC 3339, UTC, before jitter; null while it is paused. */
  readonly next: string | null;
  /** What the last sweep did, one report per workload; of `volume` only those that asked for a run. */
  readonly last: readonly (SweepReport & { readonly at: string })[];
}

export async function listSchedules(
  client: Client,
  lineage: Pick<Lineage, 'sweeps'>,
): Promise<ScheduleView[]> {
  const views: ScheduleView[] = [];
  for (const id of await scheduleIds(client)) {
    const view = await viewSchedule(client, lineage, id);
    if (view) views.push(view);
  }
  return views;
}

async function viewSchedule(
  client: Client,
  lineage: Pick<Lineage, 'sweeps'>,
  id: string,
): Promise<ScheduleView | null> {
  const described = await client.schedule
    .getHandle(id)
    .describe()
    .catch((error: unknown) => {
      if (error instanceof ScheduleNotFoundError) return null;
      throw error;
    });
  const cadence = cadenceOf(id);
  if (!described || !cadence) return null;
  const { spec, state, info, action } = described;
  const input = action.args?.[0] as SweepInput | undefined;
  const words = spec.calendars?.[0]?.comment ?? `after ${input?.volume ?? '?'} new records`;
  return {
    schedule: id,
    cadence,
    workload: input?.workloadId ?? null,
    when: words,
    timezone: spec.timezone ?? 'UTC',
    source: input?.source ?? 'person',
    paused: state.paused,
    note: state.paused && state.note ? state.note : null,
    next: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
    last: await lastSweep(lineage, id),
  };
}

/** The newest sweep's reports; each sweep writes them under one time and its own run's id. */
async function lastSweep(
  lineage: Pick<Lineage, 'sweeps'>,
  scheduleId: string,
): Promise<ScheduleView['last']> {
  const recorded = await lineage.sweeps.list({ scheduleId, limit: 200 });
  const execution = recorded[0]?.id.split('/')[0];
  return recorded
    .filter(({ id }) => id.split('/')[0] === execution)
    .map(({ workloadId, outcome, reason, newRecords, runId, at }) => ({
      ...{ workloadId, outcome, reason, newRecords, runId, at },
    }));
}
