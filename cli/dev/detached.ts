import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, createReadStream, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, repositoryRoot } from '../../config/config.ts';
import { UnavailableError } from '../../domain/errors.ts';
import { stopPatienceMs } from './end-stack.ts';
import { findRunningStack } from './home-claim.ts';

/**
 * Starts `flywheel dev` as a process that outlives this one and resolves, with its process id, once the whole
 * stack answers. What it says meanwhile goes to `log`, and stays in `<home>/logs/dev.log`.
 */
export async function startDetached(
  config: Config,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const logFile = join(config.home, 'logs', 'dev.log');
  mkdirSync(join(config.home, 'logs'), { recursive: true });
  writeFileSync(logFile, '');
  const output = openSync(logFile, 'a');
  const child = spawn(process.execPath, [join(repositoryRoot, 'cli', 'bin.js'), 'dev', '--no-color'], {
    cwd: repositoryRoot,
    env: { ...process.env, FLYWHEEL_HOME: config.home, FLYWHEEL_PORT_OFFSET: String(config.portOffset) },
    detached: true,
    // Its standard output only repeats the addresses, which our caller prints.
    stdio: ['ignore', 'ignore', output],
  });
  closeSync(output);
  let ended = false;
  const stopping = endWhenAborted(child, signal);
  child.once('exit', () => {
    ended = true;
    stopping.forget();
  });
  const printed = new LogFollower(logFile, log);
  try {
    // Ready or not: what was told to stop is waited for, not called ready on its way down.
    while (signal.aborted || !isReady(config.home, child.pid)) {
      await printed.more();
      if (ended) throw new UnavailableError(`The stack did not start; ${logFile} says why.`);
      await sleep(200);
    }
  } finally {
    stopping.forget();
    await printed.more();
  }
  child.unref();
  return child.pid ?? -1;
}

function isReady(home: string, pid: number | undefined): boolean {
  const running = findRunningStack(home);
  return running !== null && running.supervisor.pid === pid && running.ready;
}

/**
 * Once: a second signal would end it in the middle of stopping its services. By force when it has not stopped
 * in its time.
 */
function endWhenAborted(child: ChildProcess, signal: AbortSignal): { forget(): void } {
  let insist: NodeJS.Timeout | undefined;
  const end = () => {
    child.kill('SIGTERM');
    insist = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs);
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return {
    forget: () => {
      signal.removeEventListener('abort', end);
      clearTimeout(insist);
    },
  };
}

/** Passes on the lines that a growing file has got since the last look. */
class LogFollower {
  readonly #file: string;
  readonly #log: (line: string) => void;
  #lines = 0;

  constructor(file: string, log: (line: string) => void) {
    this.#file = file;
    this.#log = log;
  }

  async more(): Promise<void> {
    let seen = 0;
    for await (const line of createInterface({ input: createReadStream(this.#file, 'utf8') })) {
      seen += 1;
      if (seen > this.#lines) this.#log(line);
    }
    this.#lines = seen;
  }
}
