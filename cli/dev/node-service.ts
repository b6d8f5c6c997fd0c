import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, statSync, truncateSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryRoot } from '../../config/config.ts';
import { UnavailableError } from '../../domain/errors.ts';
import type { Exit, RunningService, Service } from './service.ts';
import { endWithParent } from './services/end-with-parent.ts';

export interface NodeServiceOptions {
  readonly name: string;
  /** Relative to the clone, such as `server/main.ts`. */
  readonly entry: string;
  readonly logFile: string;
  readonly env: NodeJS.ProcessEnv;
  /** Whether the process with this id does its work already. */
  readonly isReady: (pid: number) => Promise<boolean>;
}

/** A worker builds its workflow bundle first, on two cores that other services are starting on. */
const startTimeoutMs = 120_000;
/** Longer than the gateway's drain and the workers' grace. */
const stopTimeoutMs = 25_000;
const maxLogBytes = 10_000_000;

/** A process of our own code: a worker or the gateway. */
export function nodeService(options: NodeServiceOptions): Service {
  return {
    name: options.name,
    logFile: options.logFile,
    start: async (signal) => {
      const running = launch(options);
      try {
        await untilReady(options, running, signal);
      } catch (error) {
        await running.stop();
        throw error;
      }
      return running;
    },
  };
}

function launch({ entry, env, logFile }: NodeServiceOptions): RunningService {
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) truncateSync(logFile);
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', '--import', 'tsx', join(repositoryRoot, entry)],
    {
      cwd: repositoryRoot,
      env,
      // A process group of its own: Ctrl-C at the terminal reaches the supervisor, which stops things in order.
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  closeSync(log);
  endWithParent(child, 'TERM');
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: 127, signal: null }));
  });
  return { pid: child.pid ?? -1, exited, stop: () => stop(child, exited) };
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(insist);
}

async function untilReady(
  options: NodeServiceOptions,
  running: RunningService,
  signal: AbortSignal,
): Promise<void> {
  let ended = false;
  void running.exited.then(() => {
    ended = true;
  });
  for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline; await sleep(200)) {
    signal.throwIfAborted();
    if (ended)
      throw new UnavailableError(`The ${options.name} ended while starting.${await tail(options.logFile)}`);
    if (await options.isReady(running.pid).catch(() => false)) return;
  }
  throw new UnavailableError(
    `The ${options.name} was not ready within ${startTimeoutMs / 1000} s.${await tail(options.logFile)}`,
  );
}

async function tail(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-8);
  return ` The end of ${logFile}:\n${lines.join('\n')}`;
}
