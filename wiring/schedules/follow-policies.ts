import { type Client, type ScheduleDescription, ScheduleNotFoundError } from '@temporalio/client';
import type { Policies } from '../../domain/policies/policy.ts';
import type { SweepInput } from '../../workflows/messages.ts';
import { scheduleId } from '../../workflows/workflow-ids.ts';
import { type AppliedSchedule, deleteSchedule, putSchedule } from './apply-schedules.ts';
import { fromPolicies } from './plan-schedules.ts';
import { inWords, type PlannedSchedule } from './schedule.ts';
import { scheduleIds } from './schedule-ids.ts';

/**
 * Makes the schedules that `workloads.yaml` asks for what it says, and deletes those that it asked for once. What
 * a person did stays: times given on the command line, and every pause. Returns what it changed.
 */
export async function followPolicies(client: Client, policies: Policies): Promise<AppliedSchedule[]> {
  const planned = new Map(
    fromPolicies(policies).map((each) => [scheduleId(each.cadence, each.workloadId), each]),
  );
  // The list is a moment late: what is planned is looked at whether or not it is in it.
  const ids = new Set([...planned.keys(), ...(await scheduleIds(client))]);
  const applied: AppliedSchedule[] = [];
  for (const id of [...ids].sort()) {
    const change = await followOne(client, id, planned.get(id));
    if (change) applied.push(change);
  }
  return applied;
}

async function followOne(
  client: Client,
  id: string,
  planned: PlannedSchedule | undefined,
): Promise<AppliedSchedule | null> {
  const found = await describe(client, id);
  if (planned) return found && !differs(found, planned) ? null : putSchedule(client, planned);
  if (!found || inputOf(found)?.source !== 'policy' || found.state.paused) return null;
  return deleteSchedule(client, id);
}

/** Whether a schedule of the file's is not as the file says; one that a person set never is the file's. */
function differs(found: ScheduleDescription, planned: PlannedSchedule): boolean {
  const input = inputOf(found);
  if (input?.source !== 'policy') return false;
  if (planned.cadence === 'volume') return input.volume !== Number(planned.when);
  // The calendar's comment is the times in words (to-temporal.ts).
  return found.spec.calendars?.[0]?.comment !== inWords(planned);
}

function inputOf({ action }: ScheduleDescription): SweepInput | undefined {
  return action.args?.[0] as SweepInput | undefined;
}

async function describe(client: Client, id: string): Promise<ScheduleDescription | null> {
  try {
    return await client.schedule.getHandle(id).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}
