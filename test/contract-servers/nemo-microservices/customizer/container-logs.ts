import type { JsonObject } from '../../../../domain/json.ts';
import { timestamp } from '../entity.ts';
import { text } from '../text.ts';
import type { Faults } from '../world.ts';
import type { CustomizationJob } from './job.ts';

/** What a job's pods saw, in the form of NVIDIA's types: counts are texts, times whole seconds. */
export function containerLogs(
  { entity, failure }: CustomizationJob,
  { reasonOnlyIn }: Pick<Faults, 'reasonOnlyIn'>,
): JsonObject {
  const object = text(entity['id']);
  const stages = entity.status_details.status_logs.map(({ message, updated_at: at }) =>
    event('Normal', message, 'a stage of the job', at),
  );
  const killed =
    failure !== null && reasonOnlyIn === 'event'
      ? [event('Warning', 'Failed', failure, entity.status_details.status_logs.at(-1)?.updated_at ?? '')]
      : [];
  const entry = { events: [...killed, ...stages], logs: {}, status: {}, object };
  const error = failure === null || reasonOnlyIn === 'event' ? null : errorOf(failure);
  return { entries: { [object]: entry }, error };
}

function event(type: 'Normal' | 'Warning', reason: string, message: string, at: string): JsonObject {
  const seconds = Math.floor(Date.parse(`${at}Z`) / 1000);
  return { type, reason, message, count: '1', first_seen: seconds, last_seen: seconds };
}

function errorOf(message: string): JsonObject {
  return {
    exception_type: 'RuntimeError',
    message,
    explanation: null,
    file: 'train.py',
    line: 1,
    stack_trace: 'Traceback (most recent call last): …',
    timestamp: timestamp(),
  };
}
