import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { scheduleId } from '../../workflows/workflow-ids.ts';
import { inWords, type PlannedSchedule } from './schedule.ts';
import { toTemporal } from './to-temporal.ts';

export interface AppliedSchedule {
  readonly schedule: string;
  readonly change: 'created' | 'updated' | 'deleted' | 'kept: paused';
  /** What it is now; null for one that is not planned. */
  readonly when: string | null;
}

/** Makes the schedule what it should be, whatever it was. A pause, and its note, stay: a person made them. */
export async function putSchedule(client: Client, planned: PlannedSchedule): Promise<AppliedSchedule> {
  const options = toTemporal(planned);
  const when = inWords(planned);
  try {
    await client.schedule.create(options);
    return { schedule: options.scheduleId, change: 'created', when };
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const { spec, action, policies } = options;
  await client.schedule.getHandle(options.scheduleId).update((before) => ({
    ...{ spec, action, state: before.state },
    ...(policies && { policies }),
  }));
  return { schedule: options.scheduleId, change: 'updated', when };
}

export async function deleteSchedule(client: Client, id: string): Promise<AppliedSchedule | null> {
  try {
    await client.schedule.getHandle(id).delete();
    return { schedule: id, change: 'deleted', when: null };
  } catch (error) {
    // Another one was quicker, or the list was a moment old.
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

/**
 * Deletes what is not planned, but not what a person paused: that would end the pause, since a workload without
 * a schedule of its own is swept by the common one. While it is there, it keeps the workload out of that.
 */
async function deleteUnlessPaused(client: Client, id: string): Promise<AppliedSchedule | null> {
  try {
    const { state } = await client.schedule.getHandle(id).describe();
    if (state.paused) return { schedule: id, change: 'kept: paused', when: null };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
  return deleteSchedule(client, id);
}

/** Makes the schedules of `existing` exactly the planned ones, and keeps those that are paused. */
export async function syncSchedules(
  client: Client,
  planned: readonly PlannedSchedule[],
  existing: readonly string[],
): Promise<AppliedSchedule[]> {
  const applied: AppliedSchedule[] = [];
  for (const schedule of planned) applied.push(await putSchedule(client, schedule));
  const wanted = planned.map(({ cadence, workloadId }) => scheduleId(cadence, workloadId));
  for (const id of existing.filter((each) => !wanted.includes(each))) {
    const done = await deleteUnlessPaused(client, id);
    if (done) applied.push(done);
  }
  return applied;
}
