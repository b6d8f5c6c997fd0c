import { join } from 'node:path';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import { loadConfig } from '../config/config.ts';
import { openArtifactStore } from '../wiring/open-artifact-store.ts';
import { openLineage } from '../wiring/open-lineage.ts';
import { openLogStore } from '../wiring/open-log-store.ts';
import { createApp } from './app.ts';
import { newCounts } from './gateway/counts.ts';
import { Journal } from './journal/journal.ts';
import { createLog, reasonOf } from './log.ts';
import { openAiError } from './openai-error.ts';
import { RouteTable } from './routes/route-table.ts';

type Handle = (request: Request) => Response | Promise<Response>;

const log = createLog();

/** Calls under way get this long to finish once we are asked to stop; then the journal is closed. */
const drainMs = 10_000;

/**
 * The gateway process. It takes its port first: who holds the port owns the journal's folder, so that a second
 * copy fails before it touches anything.
 */
async function main(): Promise<void> {
  const config = loadConfig();
  let handle: Handle = () =>
    openAiError({ status: 502, code: 'starting', message: 'The gateway is starting; try again in a moment.' });
  const server = createAdaptorServer({ fetch: (request) => handle(request) });
  await listen(server, config.gateway.host, config.gateway.port);

  const lineage = openLineage(config);
  const logStore = openLogStore(config);
  const artifacts = openArtifactStore(config);
  const journal = await Journal.open({
    folder: config.gateway.spoolDir,
    maxBytes: config.gateway.spoolMaxBytes,
    logStore,
    log,
  });
  const routes = await RouteTable.open({
    source: lineage.routes,
    file: join(config.home, 'gateway', 'routes.json'),
    log,
  });
  const app = createApp({
    routes,
    journal,
    logStore,
    counts: newCounts(),
    log,
    upstream: config.gateway.upstream,
    providers: config.providers,
    readFewShot: remembered((uri) => artifacts.readText(uri)),
  });
  handle = (request) => app.fetch(request);
  log.info('listening', { url: config.gateway.url, routes: routes.status().routes });

  onceStopped(async () => {
    await drain(server);
    routes.close();
    await journal.close();
    await Promise.allSettled([lineage.close(), logStore.close()]);
    log.info('stopped', { waiting: journal.status().waiting });
  });
}

function listen(server: ServerType, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

/** Artifacts never change, so each is read once. Failed reads are tried again. */
function remembered(read: (uri: string) => Promise<string>): (uri: string) => Promise<string> {
  const texts = new Map<string, string>();
  return async (uri) => {
    const text = texts.get(uri) ?? (await read(uri));
    texts.set(uri, text);
    return text;
  };
}

async function drain(server: ServerType): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if ('closeIdleConnections' in server) server.closeIdleConnections();
  const late = setTimeout(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
  }, drainMs);
  await closed;
  clearTimeout(late);
}

function onceStopped(stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = () => {
    if (stopping) return;
    stopping = true;
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.warn('stop_failed', { reason: reasonOf(error) });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

main().catch((error: unknown) => {
  log.warn('start_failed', { reason: reasonOf(error) });
  process.exit(1);
});
