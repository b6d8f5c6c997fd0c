import { setTimeout as sleep } from 'node:timers/promises';
import type { LogStore } from '../activities/ports/log-store.ts';
import type { CallCounts } from './gateway/counts.ts';
import type { Journal, JournalStatus } from './journal/journal.ts';
import { reasonOf } from './log.ts';
import type { RouteTable, RouteTableStatus } from './routes/route-table.ts';

export interface ReadinessOptions {
  readonly routes: Pick<RouteTable, 'get' | 'refresh' | 'status'>;
  readonly journal: Pick<Journal, 'append' | 'status'>;
  readonly logStore: Pick<LogStore, 'ping'>;
  readonly counts: CallCounts;
}

interface Dependency {
  readonly ok: boolean;
  readonly reason?: string;
}

/**
 * `ready`: everything answers. `degraded`: traffic flows, by last-known routes or into the journal.
 * `unavailable`: routes were never read, so a promoted workload's calls would go to the wrong model.
 */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'unavailable';
  readonly dependencies: { readonly lineage: Dependency; readonly logStore: Dependency };
  readonly routes: RouteTableStatus;
  readonly journal: JournalStatus;
  readonly calls: CallCounts;
}

const pingTimeoutMs = 1_500;

export async function readiness(options: ReadinessOptions): Promise<Readiness> {
  const routes = options.routes.status();
  const lineage: Dependency =
    routes.lastError === null && routes.confirmedAt !== null
      ? { ok: true }
      : { ok: false, reason: routes.lastError ?? 'not asked yet' };
  const logStore = await ping(options.logStore);
  const status = !routes.known ? 'unavailable' : lineage.ok && logStore.ok ? 'ready' : 'degraded';
  return {
    status,
    dependencies: { lineage, logStore },
    routes,
    journal: options.journal.status(),
    calls: options.counts,
  };
}

async function ping(logStore: Pick<LogStore, 'ping'>): Promise<Dependency> {
  const late = sleep(
    pingTimeoutMs,
    { ok: false, reason: `no answer within ${pingTimeoutMs} ms` },
    { ref: false },
  );
  const answer = logStore.ping().then(
    () => ({ ok: true }),
    (error: unknown) => ({ ok: false, reason: reasonOf(error) }),
  );
  return Promise.race([answer, late]);
}
