import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { endWithParent } from './end-with-parent.ts';
import { type Exit, services, untilReady } from './nemo-platform-readiness.ts';
import { requireFreePort } from './require-free-port.ts';
import { emptyLongLog, withEndOfLog } from './service-log.ts';

/** It was seen to stop in 2 s. */
const stopTimeoutMs = 15_000;

/** Its default of an hour kills a training; what should end sooner is cancelled by who started it. */
const jobTimeLimitS = 7 * 24 * 3600;

const controllers = ['jobs', 'entities'];

/** Switches off what its packages would report to their makers. */
const withoutTelemetry = {
  DO_NOT_TRACK: '1',
  RAGAS_DO_NOT_TRACK: 'true',
  HF_HUB_DISABLE_TELEMETRY: '1',
  ANONYMIZED_TELEMETRY: 'false',
  LANGCHAIN_TRACING_V2: 'false',
  LITELLM_TELEMETRY: 'False',
};

export interface NemoPlatformOptions {
  /** The interpreter of the environment that has the platform. */
  readonly python: string;
  /** Holds our plug-in (`nemo-peft-plugin`). */
  readonly pluginDir: string;
  /** Holds its database, files, jobs and log. Made when absent. */
  readonly dataDir: string;
  readonly port: number;
  /** Which of its controllers run; those that Flywheel needs unless said. */
  readonly controllers?: readonly string[];
  /** More profiles that jobs may ask for, by name: the seconds that a job of it may take. */
  readonly timeLimits?: Readonly<Record<string, number>>;
  /** More for its environment, and for that of its jobs. */
  readonly env?: Readonly<Record<string, string>>;
  /** Aborted while it starts: it is ended, and the start rejects. */
  readonly signal?: AbortSignal;
}

export interface NemoPlatformService {
  readonly url: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when it has ended, wanted or not. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /**
   * Ends it. A job's process outlives it, which is the platform's way: the plug-in's ends once nobody has
   * answered it for some minutes. Harmless when it has ended.
   */
  stop(): Promise<void>;
}

/**
 * Starts the real NeMo Platform on loopback, without Docker or GPU, and waits until it is ready: all services, and
 * by name the loops that run jobs, since it calls itself healthy without them. It ends with this process.
 *
 * Throws `ConflictError` when the port is taken, `UnavailableError` with the end of the log when it does not
 * come up.
 */
export async function startNemoPlatform(options: NemoPlatformOptions): Promise<NemoPlatformService> {
  const { port } = options;
  const dataDir = resolve(options.dataDir);
  const url = `http://127.0.0.1:${port}`;
  await requireFreePort(port, 'NeMo Platform');
  const folders = await makeFolders(dataDir);
  await writeFile(folders.config, JSON.stringify(configuration(options, url, folders), null, 2));
  const logFile = join(dataDir, 'nemo-platform.log');
  await emptyLongLog(logFile);

  const running = launch(options, folders, logFile);
  try {
    await untilReady(url, running.exited, options.signal);
  } catch (error) {
    await running.stop();
    throw await withEndOfLog(logFile, error);
  }
  return { url, logFile, ...running };
}

interface Folders {
  readonly config: string;
  readonly database: string;
  readonly files: string;
  readonly jobs: string;
  readonly state: string;
}

async function makeFolders(dataDir: string): Promise<Folders> {
  const folder = (name: string) => join(dataDir, name);
  const folders = {
    database: folder('database'),
    files: folder('files'),
    jobs: folder('jobs'),
    state: folder('state'),
  };
  for (const path of Object.values(folders)) await mkdir(path, { recursive: true });
  return { ...folders, config: folder('platform.json') };
}

/** YAML to the platform, which JSON is. */
function configuration(options: NemoPlatformOptions, url: string, folders: Folders) {
  const env = { ...withoutTelemetry, PYTHONPATH: options.pluginDir, HOME: folders.state, ...options.env };
  return {
    // `none`: the default wants Docker, and its absence silently ends the thread that runs jobs.
    platform: { runtime: 'none', base_url: url },
    // Loopback only, like the rest of the stack.
    auth: { enabled: false, allow_unsigned_jwt: true, policy_decision_point_provider: 'embedded' },
    jobs: {
      // Named explicitly: only then are steps that ask for a CPU container run as processes.
      executors: Object.entries({ default: jobTimeLimitS, ...options.timeLimits }).map(
        ([profile, limitS]) => ({
          ...{ provider: 'subprocess', profile, backend: 'subprocess' },
          config: {
            working_directory: folders.jobs,
            // A busy machine takes its time to start a process.
            ttl_seconds_before_active: 600,
            ttl_seconds_active: limitS,
            // Cancelled, our plug-in first ends the training, which it does not do itself.
            graceful_shutdown_timeout_seconds: 60,
            // What is kept is asked for one by one every 2 s, and a hundred ended jobs leave no time for living ones.
            cleanup_completed_jobs_immediately: true,
            env,
          },
        }),
      ),
    },
    files: { default_storage_config: { type: 'local', path: folders.files } },
    secrets: { allow_key_creation: true },
  };
}

function launch(options: NemoPlatformOptions, folders: Folders, logFile: string) {
  const log = openSync(logFile, 'a');
  const child = spawn(
    join(dirname(options.python), 'nemo'),
    [
      ...['services', 'run'],
      ...['--config', folders.config, '--host', '127.0.0.1', '--port', `${options.port}`],
      ...['--services', services.join(','), '--controllers', (options.controllers ?? controllers).join(',')],
    ],
    {
      cwd: folders.state,
      env: environment(options, folders),
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
  const stop = async () => {
    child.kill('SIGTERM');
    const insist = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await exited;
    clearTimeout(insist);
  };
  return { pid: child.pid ?? -1, exited, stop };
}

function environment(options: NemoPlatformOptions, folders: Folders): NodeJS.ProcessEnv {
  // Set, it would leave every start to compile the packages anew.
  const { PYTHONDONTWRITEBYTECODE: _, ...inherited } = process.env;
  return {
    ...inherited,
    ...withoutTelemetry,
    HOME: folders.state,
    NMP_DATA_DIR: folders.database,
    XDG_STATE_HOME: folders.state,
    PYTHONPATH: options.pluginDir,
    PYTHONUNBUFFERED: '1',
    ...options.env,
  };
}
