import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LogStore } from '../../../activities/ports/log-store.ts';
import { startPostgres } from '../../../cli/dev/services/postgres.ts';
import { loadConfig } from '../../../config/config.ts';
import { migrateDatabases } from '../../../wiring/migrate-databases.ts';
import { openLogStore } from '../../../wiring/open-log-store.ts';
import { freePort } from '../../support/free-port.ts';

export interface BenchServers {
  readonly upstream: string;
  readonly gateway: string;
  readonly logStore: LogStore;
  stop(): Promise<void>;
}

/**
 * The gateway as `flywheel dev` starts it, before a PostgreSQL with its usual durability, and a bare upstream.
 * `profileDir`: where the gateway leaves a CPU profile of itself when it stops.
 */
export async function startServers(profileDir?: string): Promise<BenchServers> {
  const home = await mkdtemp(join(tmpdir(), 'flywheel-bench-'));
  const children: ChildProcess[] = [];
  const postgres = await startPostgres({ dir: join(home, 'postgres'), port: await freePort() });
  const upstream = await startUpstream(children);
  const port = await freePort();
  const env = {
    FLYWHEEL_HOME: home,
    DATABASE_URL: postgres.url,
    FLYWHEEL_GATEWAY_PORT: String(port),
    FLYWHEEL_UPSTREAM_URL: `${upstream}/v1`,
    // What is not shipped yet is still counted at the end; nothing is to be dropped.
    FLYWHEEL_SPOOL_MAX_BYTES: String(2 * 1024 ** 3),
  };
  const config = loadConfig({ env });
  await migrateDatabases(config);
  const gateway = `http://127.0.0.1:${port}`;
  const profiling = profileDir === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileDir];
  children.push(startNode('server/main.ts', env, 'ignore', profiling));
  await answers(`${gateway}/ready`);
  const logStore = openLogStore(config);
  return {
    ...{ upstream, gateway, logStore },
    async stop() {
      await Promise.all(children.map(end));
      await logStore.close();
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function startUpstream(children: ChildProcess[]): Promise<string> {
  const child = startNode('test/bench/gateway/upstream.ts', {}, 'pipe');
  children.push(child);
  if (child.stdout === null) throw new Error('a piped child has a stdout');
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return url;
}

function startNode(
  entry: string,
  env: Record<string, string>,
  stdout: 'pipe' | 'ignore',
  flags: readonly string[] = [],
): ChildProcess {
  return spawn(process.execPath, [...flags, '--import', 'tsx', entry], {
    env: { ...process.env, ...env },
    stdio: ['ignore', stdout, 'inherit'],
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

async function answers(url: string): Promise<void> {
  for (const deadline = Date.now() + 120_000; ; await new Promise((resolve) => setTimeout(resolve, 200))) {
    const ready = await fetch(url).then(
      (reply) => reply.ok,
      () => false,
    );
    if (ready) return;
    if (Date.now() > deadline) throw new Error(`${url} does not answer.`);
  }
}
