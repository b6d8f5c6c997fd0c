import type { Lineage } from '../../activities/ports/lineage.ts';
import type { LogStore } from '../../activities/ports/log-store.ts';
import { originalModel, toRouteView } from '../../domain/routes/route-view.ts';
import type { AddEndpoint } from '../auth/guard.ts';
import { limitOf } from './read-limit.ts';

export interface ReadOptions {
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'view' | 'list'>;
    readonly routes: Pick<Lineage['routes'], 'get' | 'all' | 'trace'>;
    readonly audit: Pick<Lineage['audit'], 'list'>;
  };
  readonly logStore: Pick<LogStore, 'workloads'>;
}

/** What the command line shows with `--json`, over HTTP, in the same shapes. */
export function addReadEndpoints(on: AddEndpoint, { lineage, logStore }: ReadOptions): void {
  on('GET', '/v1/runs', 'read', async (c) =>
    c.json(await lineage.runs.list(c.req.query('workload'), limitOf(c.req.query('limit'), 20))),
  );
  on('GET', '/v1/runs/:run', 'read', async (c) => c.json(await lineage.runs.view(c.req.param('run') ?? '')));
  on('GET', '/v1/workloads', 'read', async (c) => c.json(await workloads(lineage.routes, logStore)));
  on('GET', '/v1/workloads/:workload/route', 'read', async (c) => {
    const workload = c.req.param('workload') ?? '';
    return c.json(toRouteView(workload, await lineage.routes.get(workload)));
  });
  on('GET', '/v1/workloads/:workload/lineage', 'read', async (c) =>
    c.json(await lineage.routes.trace(c.req.param('workload') ?? '')),
  );
  on('GET', '/v1/workloads/:workload/audit', 'read', async (c) =>
    c.json(await lineage.audit.list(c.req.param('workload') ?? '', limitOf(c.req.query('limit'), 100))),
  );
}

async function workloads(
  routes: Pick<Lineage['routes'], 'all'>,
  logStore: Pick<LogStore, 'workloads'>,
): Promise<object[]> {
  const [summaries, moved] = await Promise.all([logStore.workloads(), routes.all()]);
  const served = new Map(moved.map((route) => [route.workloadId, route.serving?.model]));
  return summaries.map(({ workloadId, ...summary }) => ({
    workload: workloadId,
    ...summary,
    model: served.get(workloadId) ?? originalModel,
  }));
}
