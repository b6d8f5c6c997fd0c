import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { LogStore } from '../../../activities/ports/log-store.ts';
import { flywheelDialect } from '../../../config/fine-tuning-dialects.ts';
import type { ServingSpec } from '../../../domain/experiments/experiment.ts';
import type { StoredRecord } from '../../../domain/records/record.ts';
import type { Route } from '../../../domain/routes/route.ts';
import { createLog } from '../../../server/log.ts';
import { type RunningServer, type ServerConfig, startServer } from '../../../server/start-server.ts';
import { openLineage } from '../../../wiring/open-lineage.ts';
import { openLogStore } from '../../../wiring/open-log-store.ts';
import { createTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { respond, startHttpServer } from '../../support/http-server.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

export interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export interface Model {
  readonly baseUrl: string;
  /** Every request it got. */
  readonly asked: Asked[];
  reply: { status: number; text: string; headers: Record<string, string> };
}

/** A completion with spacing and numbers that no JSON printer would reproduce. */
export const oddlySpaced =
  '{ "id":"chatcmpl-1","object":"chat.completion",  "created": 1.0e9, "model":"big-1",\n' +
  '"choices":[{"index":0,"message":{"role":"assistant","content":"héllo \\u00e9"},"finish_reason":"stop"}],' +
  '"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5} }\n';

/** A real HTTP server that speaks OpenAI's dialect. */
export async function startModel(text = oddlySpaced): Promise<Model> {
  const asked: Asked[] = [];
  const model = { asked, reply: { status: 200, text, headers: {} as Record<string, string> } };
  const server = await startHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = Buffer.concat(chunks).toString();
      // A platform before it looks whether it is there.
      if (request.method === 'GET') return respond(response, 200, { object: 'list', data: [] });
      asked.push({
        path: request.url ?? '',
        headers: request.headers,
        text: received,
        body: JSON.parse(received) as Record<string, unknown>,
      });
      const { status, headers, text: body } = model.reply;
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(body);
    });
  });
  onTestFinished(() => server.close());
  return Object.assign(model, { baseUrl: `${server.url}/v1` });
}

export interface GatewayBundle {
  readonly config: ServerConfig;
  /** PostgreSQL as the gateway sees it; cut it to make an outage. */
  readonly postgres: TcpProxy;
  /** Direct lines to the same PostgreSQL, for arranging and asserting. */
  readonly lineage: ReturnType<typeof openLineage>;
  readonly logStore: LogStore;
  readonly logged: string[];
  /** Knows the routes, unless PostgreSQL is cut. */
  start(): Promise<RunningServer>;
}

/** A gateway before a PostgreSQL of its own: `inject('databaseUrl')`, by way of `createTestDatabase`. */
export async function setup(
  options: {
    upstream?: Pick<Model, 'baseUrl'> | null;
    provider?: Pick<Model, 'baseUrl'>;
    spoolMaxBytes?: number;
    apiKey?: string;
    rateLimit?: number;
    maxBodyBytes?: number;
    upstreamTimeoutMs?: number;
    temporal?: ServerConfig['temporal'];
    policiesName?: string;
  } = {},
): Promise<GatewayBundle> {
  const home = await mkdtemp(join(tmpdir(), 'flywheel-gateway-'));
  const database = await createTestDatabase();
  const postgres = await startTcpProxy(database.url);
  const direct = {
    database: { url: database.url, embedded: false },
    logStore: { kind: 'postgres' as const },
  };
  const lineage = openLineage(direct);
  const logStore = openLogStore(direct);
  const running: RunningServer[] = [];
  onTestFinished(async () => {
    await Promise.allSettled(running.map((server) => server.stop()));
    await Promise.allSettled([lineage.close(), logStore.close(), postgres.close()]);
    await database.drop();
    await rm(home, { recursive: true, force: true });
  });
  const apiKey = options.apiKey ?? null;
  const config: ServerConfig = {
    home,
    ...direct,
    database: { url: postgres.url, embedded: false },
    temporal: options.temporal ?? {
      address: '127.0.0.1:9',
      namespace: 'default',
      uiUrl: null,
      embedded: true,
    },
    artifactsDir: join(home, 'artifacts'),
    policiesFile: {
      path: join(home, options.policiesName ?? 'workloads.yaml'),
      required: false,
      candidates: ['nano', 'micro'],
      providers: ['local'],
      guardrailProviders: [],
    },
    providers: {
      local: {
        baseUrl: options.provider?.baseUrl ?? 'http://127.0.0.1:1/v1',
        apiKey: 'provider-key',
        ...{ kind: 'openai', fineTuning: true, dialect: flywheelDialect },
      },
    },
    gateway: {
      host: '127.0.0.1',
      port: 0,
      url: 'http://127.0.0.1',
      upstream: options.upstream ? { baseUrl: options.upstream.baseUrl, apiKey } : null,
      spoolDir: join(home, 'spool'),
      spoolMaxBytes: options.spoolMaxBytes ?? 10_000_000,
      tokensFile: join(home, 'tokens.json'),
      ownToken: null,
      ownTokenFile: join(home, 'gateway', 'token'),
      rateLimit: options.rateLimit ?? null,
      upstreamTimeoutMs: options.upstreamTimeoutMs ?? 30_000,
      maxBodyBytes: options.maxBodyBytes ?? 32 * 1024 * 1024,
    },
  };
  const logged: string[] = [];
  return {
    ...{ config, postgres, lineage, logStore, logged },
    async start() {
      const server = await startServer(
        config,
        createLog((line) => logged.push(line)),
      );
      running.push(server);
      // It starts without the routes where PostgreSQL is slow to answer.
      if (postgres.isOpen())
        await eventually(async () => expect((await fetch(`${server.url}/ready`)).status).toBe(200));
      return server;
    },
  };
}

export const serving: ServingSpec = {
  provider: 'local',
  model: 'ft:nano:1',
  fewShotUri: null,
  maxTokens: 64,
};

export function moveRoute(
  bundle: Pick<GatewayBundle, 'lineage'>,
  move: { moveId: string; serving: ServingSpec | null; workloadId?: string },
): Promise<Route> {
  return bundle.lineage.routes.move({
    workloadId: 'hr',
    digest: null,
    runId: null,
    kind: 'promotion',
    actor: 'ana',
    reason: 'a test',
    ...move,
  });
}

export function ask(
  url: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Response> {
  const body = options.body ?? { model: 'big', messages: [{ role: 'user', content: 'hi' }] };
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-workload-id': 'hr',
      'x-client-id': 'c1',
      ...options.headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Ids of the workload's records in the log store, in no order. */
export async function storedIds(
  bundle: Pick<GatewayBundle, 'logStore'>,
  workloadId = 'hr',
): Promise<string[]> {
  const ids: string[] = [];
  const bound = await bundle.logStore.snapshotBound();
  for await (const batch of bundle.logStore.read(workloadId, bound)) ids.push(...batch.map(({ id }) => id));
  return ids;
}

/** The record of an answered call, once it is stored. */
export function recordOf(bundle: Pick<GatewayBundle, 'logStore'>, reply: Response): Promise<StoredRecord> {
  const id = reply.headers.get('x-flywheel-record-id') ?? 'none';
  return eventually(async () => {
    const [record] = await bundle.logStore.get([id]);
    if (record === undefined) throw new Error(`no record ${id} yet`);
    return record;
  });
}

/** The gateway's own counts of calls. */
export async function countsOf(url: string): Promise<Record<string, number>> {
  const { calls } = (await (await fetch(`${url}/ready`)).json()) as { calls: Record<string, number> };
  return calls;
}
