import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { createAdaptorServer, type HttpBindings, type ServerType } from '@hono/node-server';
import type { Config } from '../config/config.ts';
import { openArtifactStore } from '../wiring/open-artifact-store.ts';
import { openChatEndpoints } from '../wiring/open-chat-endpoints.ts';
import { openEnforcement } from '../wiring/open-enforcement.ts';
import { openFewShots } from '../wiring/open-few-shots.ts';
import { openGuardrails } from '../wiring/open-guardrails.ts';
import { openLineage } from '../wiring/open-lineage.ts';
import { openLogStore } from '../wiring/open-log-store.ts';
import { openEmbedders } from '../wiring/open-models.ts';
import { openPolicyEditor } from '../wiring/open-policies.ts';
import { redactionBy } from '../wiring/open-redaction.ts';
import { openWorkflowClient } from '../wiring/open-workflow-client.ts';
import { type PoliciesInForce, policiesInForce } from '../wiring/policies-in-force.ts';
import { sendDecision } from '../wiring/send-decision.ts';
import { triggerRun } from '../wiring/trigger-run.ts';
import { createRecentIds } from './api/recent-ids.ts';
import { createApp } from './app.ts';
import { createAccess } from './auth/access.ts';
import { openTokens, refuseOpenDoor } from './auth/open-tokens.ts';
import { createRateLimiter } from './auth/rate-limiter.ts';
import { newCounts, newRecordCounts } from './gateway/counts.ts';
import { createUpstreamClient } from './gateway/upstream-client.ts';
import { Journal } from './journal/journal.ts';
import { type Log, reasonOf } from './log.ts';
import { openAiError } from './openai-error.ts';
import { RouteTable } from './routes/route-table.ts';

export type ServerConfig = Pick<
  Config,
  'home' | 'database' | 'logStore' | 'temporal' | 'gateway' | 'providers' | 'artifactsDir' | 'policiesFile'
>;

export interface RunningServer {
  readonly url: string;
  /** Lets calls under way finish, then writes down and ships what was logged. */
  stop(): Promise<void>;
}

type Handle = (request: Request, bindings: HttpBindings) => Response | Promise<Response>;

/** Calls under way get this long to finish once we are asked to stop; then the journal is closed. */
const drainMs = 10_000;

/**
 * Starts the HTTP server. It takes its port first: who holds the port owns the journal's folder, so that a
 * second copy fails before it touches anything. PostgreSQL and Temporal need not answer.
 */
export async function startServer(config: ServerConfig, log: Log): Promise<RunningServer> {
  let handle: Handle = () =>
    openAiError({
      status: 502,
      code: 'starting',
      message: 'The gateway is starting; try again in a moment.',
    });
  await refuseOpenDoor(config.gateway);
  const server = createAdaptorServer({
    fetch: (request, bindings) => handle(request, bindings as HttpBindings),
  });
  const url = await listen(server, config.gateway.host, config.gateway.port);

  const lineage = openLineage(config);
  const logStore = openLogStore(config);
  const artifacts = openArtifactStore(config);
  const { spoolDir: folder, spoolMaxBytes: maxBytes } = config.gateway;
  const policies = followPolicies(config, log);
  const redact = redactionBy(policies);
  const journal = await Journal.open({ folder, maxBytes, logStore, redact, log });
  const file = join(config.home, 'gateway', 'routes.json');
  const routes = await RouteTable.open({ source: lineage.routes, file, log });
  const tokens = await openTokens(config.gateway, log);
  const workflows = openWorkflowClient(config);
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const upstreams = createUpstreamClient(config.gateway.upstreamTimeoutMs, log);
  const app = createApp({
    ...{ routes, journal, logStore, lineage, log, upstreams },
    access: createAccess(tokens),
    limiter: createRateLimiter(config.gateway.rateLimit),
    maxBodyBytes: config.gateway.maxBodyBytes,
    policies: openPolicyEditor(config),
    triggerRun: (workloadId, wishes) => triggerRun(workflows, workloadId, wishes),
    sendDecision: (runId, decision) => sendDecision(workflows, runId, decision),
    counts: newCounts(),
    recordCounts: newRecordCounts(),
    recentIds: createRecentIds(),
    upstream: config.gateway.upstream,
    stopping: stopping.signal,
    endpoints: openChatEndpoints(config),
    guarded: openEnforcement(policies, openGuardrails(config)),
    fewShots: openFewShots(artifacts, openEmbedders(config)),
  });
  handle = (request, bindings) => app.fetch(request, bindings);
  log.info('listening', { url, routes: routes.status().routes });

  return {
    url,
    async stop() {
      await drain(server, () => stopping.abort());
      routes.close();
      tokens.close();
      await upstreams.close();
      await journal.close();
      await Promise.allSettled([lineage.close(), logStore.close(), workflows.close()]);
      log.info('stopped', { waiting: journal.status().waiting });
    },
  };
}

function followPolicies(config: ServerConfig, log: Log): PoliciesInForce {
  return policiesInForce(config, (error) => log.warn('policies_unusable', { reason: reasonOf(error) }));
}

function listen(server: ServerType, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      const taken = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://${host}:${taken}`);
    });
  });
}

/** `onLate` ends the streams in an orderly way; every other call just loses its connection. */
async function drain(server: ServerType, onLate: () => void): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if ('closeIdleConnections' in server) server.closeIdleConnections();
  const late = setTimeout(() => {
    onLate();
    if ('closeAllConnections' in server) server.closeAllConnections();
  }, drainMs);
  await closed;
  clearTimeout(late);
}
