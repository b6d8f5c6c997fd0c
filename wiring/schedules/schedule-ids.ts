import type { Client } from '@temporalio/client';
import { type Cadence, cadences } from '../../domain/schedules/cadence.ts';

/** Ids of our schedules: those that start a sweep. Temporal lists a new one a moment late. */
export async function scheduleIds(client: Client): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId, action } of client.schedule.list())
    if (action?.workflowType === 'sweep' && cadenceOf(scheduleId)) ids.push(scheduleId);
  return ids.sort();
}

export function cadenceOf(id: string): Cadence | null {
  return cadences.find((cadence) => id === cadence || id.startsWith(`${cadence}:`)) ?? null;
}
