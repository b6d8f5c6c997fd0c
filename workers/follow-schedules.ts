import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@temporalio/worker';
import type { OpenSchedules } from '../wiring/schedules/open-schedules.ts';

/** How soon a change of `workloads.yaml` is a change of schedules. A look reads one small file. */
const everyMs = 60_000;

/**
 * Keeps the schedules as `workloads.yaml` asks, now and whenever it has changed. What goes wrong is said, once
 * until it is something else, and tried again at the next look: the schedules stay as they were meanwhile.
 */
export function followSchedules(
  schedules: Pick<OpenSchedules, 'follow'>,
  logger: Logger,
  lookEveryMs = everyMs,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const following = keepFollowing(schedules, logger, { lookEveryMs, signal: stopping.signal });
  return {
    async stop() {
      stopping.abort();
      await following;
    },
  };
}

async function keepFollowing(
  schedules: Pick<OpenSchedules, 'follow'>,
  logger: Logger,
  { lookEveryMs, signal }: { readonly lookEveryMs: number; readonly signal: AbortSignal },
): Promise<void> {
  let said = '';
  while (!signal.aborted) {
    try {
      for (const applied of await schedules.follow())
        logger.info('schedule follows workloads.yaml', { ...applied });
      said = '';
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== said) logger.warn('schedules cannot follow workloads.yaml', { error });
      said = problem;
    }
    await sleep(lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
