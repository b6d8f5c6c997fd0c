import { setTimeout as pause } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Json } from '../../../domain/json.ts';
import { mountConfigs } from './customizer/configs.ts';
import { mountCustomizationJobs } from './customizer/jobs.ts';
import { mountTargets } from './customizer/targets.ts';
import { mountFiles } from './data-store/files.ts';
import { mountHub } from './data-store/hub.ts';
import { mountLfs } from './data-store/lfs.ts';
import { mountDataStoreNamespaces } from './data-store/namespaces.ts';
import { mountDeployments } from './deployment/deployments.ts';
import { mountEntities } from './entity-store/entities.ts';
import { mountNamespaces } from './entity-store/namespaces.ts';
import { mountEvaluator } from './evaluator/jobs.ts';
import { createNims } from './nim/nims.ts';
import { mountNimProxy } from './nim/proxy.ts';
import { createWorld, type Faults, type World, type WorldOptions } from './world.ts';

export interface RecordedCall {
  readonly method: string;
  /** With its query, still encoded. */
  readonly path: string;
  readonly authorization: string | null;
  /** The JSON body; null where there was none. */
  readonly body: Json;
}

export interface NemoServer {
  /** The platform; `/nim` and `/data-store` are below it. */
  readonly url: string;
  readonly nimUrl: string;
  readonly dataStoreUrl: string;
  readonly faults: Faults;
  /** Every call so far. */
  readonly calls: readonly RecordedCall[];
  readonly world: World;
  close(): Promise<void>;
}

/** Quick enough for tests, slow enough that every state is seen. */
export const defaultOptions = {
  bases: [
    { id: 'flywheel/nano-1m', servedAs: 'nano-1m', numParameters: 1_000_000, contextSize: 2048 },
    { id: 'flywheel/nano-4m', servedAs: 'nano-4m', numParameters: 4_000_000, contextSize: 2048 },
  ],
  deployed: ['flywheel/nano-1m'],
  refreshMs: 500,
  deployStepMs: 150,
  undeployMs: 300,
  stageMs: 50,
  cancelMs: 300,
  forBlueprint: false,
} as const satisfies Omit<WorldOptions, 'modelServerUrl'>;

/** Starts the contract server on loopback: NeMo Microservices v1 in front of the project's model server. */
export async function startNemoServer(
  options: Partial<WorldOptions> & Pick<WorldOptions, 'modelServerUrl'>,
  port = 0,
): Promise<NemoServer> {
  const closing = new AbortController();
  const world = createWorld({ ...defaultOptions, ...options }, closing.signal);
  const calls: RecordedCall[] = [];
  let url = '';
  const app = createApp(world, calls, () => url);
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const started = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, (info) => {
      url = `http://127.0.0.1:${info.port}`;
      resolve(started);
    });
  });
  return {
    url,
    nimUrl: `${url}/nim`,
    dataStoreUrl: `${url}/data-store`,
    faults: world.faults,
    calls,
    world,
    async close() {
      closing.abort();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
      // Whatever it does is told that it closes; a model server that is gone is not waited for.
      await Promise.race([world.idle(), pause(15_000, undefined, { ref: false })]);
    },
  };
}

function createApp(world: World, calls: RecordedCall[], url: () => string): Hono {
  const app = new Hono();
  const nims = createNims(world);
  app.use(async (context, next) => {
    const { pathname, search } = new URL(context.req.url);
    const isJson = context.req.header('content-type')?.startsWith('application/json') ?? false;
    calls.push({
      method: context.req.method,
      path: `${pathname}${search}`,
      authorization: context.req.header('authorization') ?? null,
      body: isJson ? ((await context.req.json().catch(() => null)) as Json) : null,
    });
    const refusal = world.faults.refusals.find(
      ({ path, method = context.req.method, times }) =>
        times > 0 && pathname.includes(path) && method === context.req.method,
    );
    if (!refusal) return next();
    refusal.times -= 1;
    if (refusal.afterwards) await next();
    context.res = new Response(JSON.stringify({ detail: 'told to refuse' }), {
      status: refusal.status,
      headers: {
        'content-type': 'application/json',
        ...(refusal.retryAfter !== undefined && { 'retry-after': refusal.retryAfter }),
      },
    });
  });
  app.onError((error) => {
    if (error instanceof HTTPException) return error.getResponse();
    console.error(error);
    return Response.json({ detail: 'Internal Server Error' }, { status: 500 });
  });
  app.notFound((context) => context.json({ detail: 'Not Found' }, 404));

  app.get('/health', (context) => context.json({ status: 'healthy' }));
  mountNamespaces(app, world.tables.namespaces);
  mountEntities(app, world.tables);
  mountTargets(app, world);
  mountConfigs(app, world);
  mountCustomizationJobs(app, world);
  mountEvaluator(app, world, nims, () => `${url()}/nim`);
  mountDeployments(app, world, nims);
  mountNimProxy(app, world, nims);

  const dataStore = new Hono();
  mountDataStoreNamespaces(dataStore, world.dataStore);
  mountHub(dataStore, world.dataStore);
  mountLfs(dataStore, world.dataStore, () => `${url()}/data-store`);
  mountFiles(dataStore, world.dataStore);
  app.route('/data-store', dataStore);
  return app;
}
