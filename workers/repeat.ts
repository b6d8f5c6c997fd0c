import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@temporalio/worker';

export interface Repeated {
  /** Resolves when what is under way has ended, or a while later: no provider that is slow holds a worker up. */
  stop(): Promise<void>;
}

/** Work is such that it may be broken off anywhere, as by a death. */
const patienceMs = 5_000;

/**
 * Does the work now, and again a while after it has ended, until stopped. What goes wrong is said, once until it is
 * something else, and tried again the next time.
 */
export function repeat(
  work: () => Promise<void>,
  { everyMs, logger, saying }: { readonly everyMs: number; readonly logger: Logger; readonly saying: string },
): Repeated {
  const stopping = new AbortController();
  const { signal } = stopping;
  const repeating = keepRepeating();
  return {
    async stop() {
      stopping.abort();
      await Promise.race([repeating, sleep(patienceMs, undefined, { ref: false })]);
    },
  };

  async function keepRepeating(): Promise<void> {
    let said = '';
    while (!signal.aborted) {
      try {
        await work();
        said = '';
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        if (problem !== said) logger.warn(saying, { error });
        said = problem;
      }
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
