import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ConflictError, UnavailableError } from '../../../domain/errors.ts';
import { endWithParent } from './end-with-parent.ts';
import { isPortTaken } from './require-free-port.ts';
import { emptyLongLog, withEndOfLog } from './service-log.ts';

/** The Python package; run from its folder, so that it needs no installation. */
const packageDir = fileURLToPath(new URL('../../../model-server', import.meta.url));

/** Importing torch takes a second from a warm disk, and up to a minute from a cold one on a busy machine. */
const startTimeoutMs = 120_000;

/** A server that is training ends the trainer first. */
const stopTimeoutMs = 15_000;

export interface ModelServerOptions {
  /** The interpreter of the environment that has the server's packages. */
  readonly python: string;
  /** Holds the server's state (files, jobs, adapters) and its log. Made when absent. */
  readonly dataDir: string;
  readonly port: number;
  /**
   * One job per device, a second create is refused: whoever starts jobs holds a slot. The default, since
   * Flywheel does; false: the server queues them.
   */
  readonly managed?: boolean;
  /** Base models: name → folder or id at Hugging Face. The default, and null: those that come with the server. */
  readonly models?: Readonly<Record<string, string>> | null;
  /** More for the server's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Aborted while it starts: it is ended, and the start rejects. */
  readonly signal?: AbortSignal;
}

export interface ModelServerService {
  /** Without `/v1`. */
  readonly url: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the server has ended, wanted or not. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Ends the server and its trainer. Harmless when it has ended. */
  stop(): Promise<void>;
}

/**
 * Starts the model server on loopback and waits until it is healthy. It ends with this process.
 *
 * Throws `ConflictError` when the port is taken, `UnavailableError` with the end of the log when it does not
 * come up.
 */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServerService> {
  const { port } = options;
  const dataDir = resolve(options.dataDir);
  const logFile = join(dataDir, 'model-server.log');
  await mkdir(dataDir, { recursive: true });
  // Else the health check below would be answered by somebody else.
  if (await isPortTaken(port)) {
    throw new ConflictError(
      `Port ${port} is taken; the model server needs it. Stop what listens there, choose other ports with ` +
        '--port-offset, or set MODEL_SERVER_URL if it is the model server to use.',
    );
  }
  await emptyLongLog(logFile);

  const { child, exited } = launch(options, dataDir, logFile);
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilHealthy(url, exited, options.signal);
  } catch (error) {
    await stop(child, exited);
    throw await withEndOfLog(logFile, error);
  }
  return { url, pid: child.pid as number, logFile, exited, stop: () => stop(child, exited) };
}

/** `error`: it could not be started at all. */
type Exit = Awaited<ModelServerService['exited']> & { readonly error?: Error };

function launch(
  options: ModelServerOptions,
  dataDir: string,
  logFile: string,
): { child: ChildProcess; exited: Promise<Exit> } {
  const log = openSync(logFile, 'a');
  const child = spawn(
    options.python,
    [
      ...['-m', 'model_server', '--host', '127.0.0.1', '--port', `${options.port}`, '--home', dataDir],
      ...((options.managed ?? true) ? ['--managed'] : []),
      ...Object.entries(options.models ?? {}).flatMap(([name, source]) => ['--model', `${name}=${source}`]),
    ],
    {
      cwd: packageDir,
      // Lines appear in the log as they are written; byte code stays out of the clone.
      env: { ...process.env, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1', ...options.env },
      // A process group of its own: Ctrl-C at the terminal reaches the supervisor, which stops things in order.
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  closeSync(log);
  const exited = new Promise<Exit>((settle) => {
    child.once('exit', (code, signal) => settle({ code, signal }));
    child.once('error', (error) => settle({ code: null, signal: null, error }));
  });
  endWithParent(child, 'TERM');
  return { child, exited };
}

async function untilHealthy(
  url: string,
  exited: Promise<Exit>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  let exit: Exit | undefined;
  void exited.then((how) => {
    exit = how;
  });
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (exit?.error) throw new UnavailableError(`The model server cannot be started: ${exit.error.message}.`);
    if (exit)
      throw new UnavailableError(`The model server ended while starting (${exit.signal ?? exit.code}).`);
    if (await isHealthy(url)) return;
    await sleep(200);
  }
  throw new UnavailableError(`The model server did not answer within ${startTimeoutMs / 1000} s.`);
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess, exited: Promise<Exit>): Promise<void> {
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(insist);
}
