import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit, RunningService, Service } from './service.ts';

export interface Supervised {
  stop(): Promise<void>;
}

export interface SupervisionOptions {
  readonly log: (line: string) => void;
  readonly onStarted: (service: Service, pid: number) => void;
  /** Waits before the first, second, … restart; the last one repeats. */
  readonly backoffMs?: readonly number[];
  /** After running for so long a crash counts as the first again. */
  readonly settledMs?: number;
}

/** Quick for a single mishap; slow enough not to burn the machine when a service cannot live. */
const defaultBackoffMs = [500, 1_000, 2_000, 5_000, 15_000, 30_000];
const defaultSettledMs = 60_000;

/**
 * Starts a service, then keeps it running: a crash is told and followed by a restart, with growing pauses.
 * The first start has to succeed; its error is the caller's.
 */
export async function supervise(
  service: Service,
  options: SupervisionOptions,
  startSignal: AbortSignal,
): Promise<Supervised> {
  const stopping = new AbortController();
  let running = await service.start(startSignal);
  options.onStarted(service, running.pid);
  const kept = keepRunning();
  return {
    stop: async () => {
      stopping.abort();
      await running.stop();
      await kept;
    },
  };

  async function keepRunning(): Promise<void> {
    for (let crashes = 0; ; ) {
      const startedAt = Date.now();
      const how = await running.exited;
      if (stopping.signal.aborted) return;
      crashes = Date.now() - startedAt > (options.settledMs ?? defaultSettledMs) ? 1 : crashes + 1;
      options.log(`The ${service.name} ended unexpectedly (${describe(how)}); see ${service.logFile}.`);
      const restarted = await restart(crashes);
      if (!restarted) return;
      running = restarted;
    }
  }

  /** Null when the stop came first. */
  async function restart(crashes: number): Promise<RunningService | null> {
    for (let attempt = crashes; ; attempt += 1) {
      const backoff = options.backoffMs ?? defaultBackoffMs;
      const pauseMs = backoff[Math.min(attempt, backoff.length) - 1] ?? 0;
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return null;
      try {
        const next = await service.start(stopping.signal);
        if (stopping.signal.aborted) {
          await next.stop();
          return null;
        }
        options.onStarted(service, next.pid);
        options.log(`The ${service.name} runs again.`);
        return next;
      } catch (error) {
        if (stopping.signal.aborted) return null;
        options.log(
          `The ${service.name} did not start again: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
}

function describe(how: Exit): string {
  if (how === null || typeof how === 'number') return `exit code ${how ?? 'unknown'}`;
  return how.signal ?? `exit code ${how.code ?? 'unknown'}`;
}
