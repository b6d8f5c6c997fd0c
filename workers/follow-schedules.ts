import type { Logger } from '@temporalio/worker';
import type { OpenSchedules } from '../wiring/schedules/open-schedules.ts';
import { type Repeated, repeat } from './repeat.ts';

/** How soon a change of `workloads.yaml` is a change of schedules. A look reads one small file. */
const lookEveryMs = 60_000;

/**
 * Keeps the schedules as `workloads.yaml` asks, now and whenever it has changed. Where that goes wrong they stay as
 * they were.
 */
export function followSchedules(
  schedules: Pick<OpenSchedules, 'follow'>,
  logger: Logger,
  everyMs = lookEveryMs,
): Repeated {
  const follow = async () => {
    for (const applied of await schedules.follow())
      logger.info('schedule follows workloads.yaml', { ...applied });
  };
  return repeat(follow, { everyMs, logger, saying: 'schedules cannot follow workloads.yaml' });
}
