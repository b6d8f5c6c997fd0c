import { setTimeout as sleep } from 'node:timers/promises';
import type { LogStore } from '../activities/ports/log-store.ts';
import type { Access } from './auth/access.ts';
import type { App } from './auth/guard.ts';
import type { CallCounts, RecordCounts } from './gateway/counts.ts';
import type { Journal, JournalStatus } from './journal/journal.ts';
import { reasonOf } from './log.ts';
import { isError } from './openai-error.ts';
import type { RouteTable, RouteTableStatus } from './routes/route-table.ts';

export interface ReadinessOptions {
  readonly routes: Pick<RouteTable, 'get' | 'refresh' | 'status'>;
  readonly journal: Pick<Journal, 'append' | 'status'>;
  readonly logStore: Pick<LogStore, 'ping'>;
  readonly counts: CallCounts;
  readonly recordCounts: RecordCounts;
}

export interface HealthOptions extends ReadinessOptions {
  readonly access: Access;
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
  readonly records: RecordCounts;
}

const pingTimeoutMs = 1_500;

/**
 * `GET /health`: the process is there. `GET /ready`: whether traffic flows, for whoever starts or balances
 * gateways; what it depends on and how much went through, for holders of `read`.
 */
export function addHealth(app: App, options: HealthOptions): void {
  app.get('/health', (c) => c.json({ status: 'ok' }));
  app.get('/ready', async (c) => {
    const report = await readiness(options);
    const told = isError(options.access.authorize(c.req.raw.headers, 'read'))
      ? { status: report.status }
      : report;
    return c.json(told, report.status === 'unavailable' ? 503 : 200);
  });
}

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
    records: options.recordCounts,
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
