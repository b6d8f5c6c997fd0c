import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { searchAttributeTypes } from '../../../workflows/search-attributes.ts';
import { endWithParent } from './end-with-parent.ts';

export interface TemporalServiceOptions {
  /** From `findTemporal`. */
  readonly binary: string;
  readonly port: number;
  /** null: without the Web UI. */
  readonly uiPort: number | null;
  /** SQLite file that keeps workflows over restarts; null: in memory, for tests. */
  readonly databaseFile: string | null;
  readonly namespace?: string;
  readonly onLine: (line: string) => void;
  /** How long it may take to answer. Default 60 s: a busy two-core machine takes about ten. */
  readonly startTimeoutMs?: number;
  /** Aborted while it starts: it is ended, and the start rejects. */
  readonly signal?: AbortSignal;
}

export interface TemporalService {
  readonly address: string;
  readonly uiUrl: string | null;
  readonly pid: number;
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/**
 * Without these four the server ignores the priority and fairness keys of `gpu:*` tasks, and several
 * partitions shuffle even their order (measured; server 1.29).
 */
const dynamicConfig = {
  'matching.useNewMatcher': 'true',
  'matching.enableFairness': 'true',
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
} as const;

/** Seven times the throughput of SQLite's defaults; a crash of the machine may lose the last moments. */
const pragmas = ['journal_mode=wal', 'synchronous=normal'] as const;

/** Starts Temporal's dev server on the loopback address and resolves once it answers. */
export async function startTemporal(options: TemporalServiceOptions): Promise<TemporalService> {
  if (options.databaseFile) await mkdir(dirname(options.databaseFile), { recursive: true });
  const child = spawn(options.binary, serverArguments(options), {
    // A process group of its own: Ctrl-C at the terminal must not end it before its workers.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithParent(child, 'TERM');
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', options.onLine);
  const exited = ended(child, options.onLine);
  const address = `127.0.0.1:${options.port}`;
  try {
    await untilHealthy(address, exited, options);
  } catch (error) {
    await stop(child, exited);
    throw error;
  }
  return {
    address,
    uiUrl: options.uiPort === null ? null : `http://127.0.0.1:${options.uiPort}`,
    pid: child.pid ?? -1,
    exited,
    stop: () => stop(child, exited),
  };
}

function ended(child: ChildProcess, onLine: (line: string) => void): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', (error) => {
      onLine(`cannot start: ${error.message}`);
      resolve(null);
    });
  });
}

async function stop(child: ChildProcess, exited: Promise<number | null>): Promise<void> {
  child.kill('SIGTERM');
  // It usually needs a second; by then its database is closed and nothing can be lost.
  const insist = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(insist);
}

function serverArguments(options: TemporalServiceOptions): string[] {
  const database = options.databaseFile
    ? ['--db-filename', options.databaseFile, ...pragmas.flatMap((pragma) => ['--sqlite-pragma', pragma])]
    : [];
  const ui =
    options.uiPort === null ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(options.uiPort)];
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(options.port), ...ui],
    ...['--namespace', options.namespace ?? 'default', '--log-level', 'error', ...database],
    ...Object.entries(searchAttributeTypes).flatMap(([name, type]) => [
      '--search-attribute',
      `${name}=${type}`,
    ]),
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
  ];
}

async function untilHealthy(
  address: string,
  exited: Promise<number | null>,
  { namespace = 'default', startTimeoutMs: timeoutMs = 60_000, signal }: TemporalServiceOptions,
): Promise<void> {
  let exitCode: number | null | undefined;
  void exited.then((code) => {
    exitCode = code;
  });
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (exitCode !== undefined) {
      throw new Error(`Temporal’s dev server ended with code ${exitCode} while starting; its log says why.`);
    }
    if (await answers(address, namespace)) return;
    await sleep(150);
  }
  throw new Error(`Temporal’s dev server did not answer on ${address} within ${timeoutMs / 1000} s.`);
}

/** True once the namespace can be used, which is a little after the port opens. */
async function answers(address: string, namespace: string): Promise<boolean> {
  let connection: Connection | null = null;
  try {
    connection = await Connection.connect({ address, connectTimeout: '2s' });
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } catch {
    return false;
  } finally {
    await connection?.close();
  }
}
