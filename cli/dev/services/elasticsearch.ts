import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictError, UnavailableError } from '../../../domain/errors.ts';
import { endWithParent } from './end-with-parent.ts';
import { isPortTaken } from './require-free-port.ts';
import { emptyLongLog, withEndOfLog } from './service-log.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

/** 20 s on two idle cores; several times that where tests and training take turns. */
const startTimeoutMs = 240_000;
const portPatienceMs = 5_000;
const stopTimeoutMs = 20_000;

export interface ElasticsearchOptions {
  /** Unpacked distribution, from `findElasticsearch`. */
  readonly distribution: string;
  /** The JDK to run it on, from `findJava`. */
  readonly javaHome: string;
  /** Holds `data/`, `config/` and `elasticsearch.log`. Made when absent. */
  readonly dir: string;
  readonly port: number;
  /** More of its settings, such as `{'xpack.security.enabled': 'true'}`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** More files of its configuration folder, such as certificates. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Default 512 MB: enough for some millions of records on one machine. */
  readonly heapMb?: number;
  /** Aborted while it starts: it is ended, and the start rejects. */
  readonly signal?: AbortSignal;
}

type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export interface ElasticsearchService {
  readonly url: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the server has ended, wanted or not. */
  readonly exited: Promise<Exit>;
  /** Ends the server. Harmless when it has ended. */
  stop(): Promise<void>;
}

/**
 * Starts Elasticsearch on loopback, as another user where we are root (it refuses root), and waits until it
 * answers. It ends with this process.
 *
 * Throws `ConflictError` when the port is taken, `UnavailableError` with the end of the log when it does not
 * come up.
 */
export async function startElasticsearch(options: ElasticsearchOptions): Promise<ElasticsearchService> {
  const dir = resolve(options.dir);
  const logFile = join(dir, 'elasticsearch.log');
  if (!(await becomesFree(options.port))) {
    throw new ConflictError(
      `Port ${options.port} is taken, so Elasticsearch cannot listen there. ` +
        'Stop what uses it, move every port with --port-offset, or set ELASTICSEARCH_URL if it is the one to use.',
    );
  }
  await mkdir(dir, { recursive: true });
  await emptyLongLog(logFile);
  const { child, exited } = await launch(options, dir, logFile);
  try {
    await untilItAnswers(options, exited);
  } catch (error) {
    await stop(child, exited);
    throw await withEndOfLog(logFile, error);
  }
  const url = `${schemeOf(options)}://127.0.0.1:${options.port}`;
  return { url, pid: child.pid ?? -1, logFile, exited, stop: () => stop(child, exited) };
}

async function launch(
  options: ElasticsearchOptions,
  dir: string,
  logFile: string,
): Promise<{ child: ChildProcess; exited: Promise<Exit> }> {
  const { distribution, javaHome } = options;
  const command = join(distribution, 'bin', 'elasticsearch');
  const user = unprivilegedUser('Elasticsearch', 'ELASTICSEARCH_URL', command, join(dir, 'data'), dir);
  await configure(options, dir, user.owner);
  const wrapped = user.wrap(command, []);
  const log = openSync(logFile, 'a');
  const child = spawn(wrapped.command, wrapped.args, {
    ...user.spawnOptions,
    cwd: '/',
    env: {
      PATH: process.env.PATH,
      ES_JAVA_HOME: javaHome,
      ES_PATH_CONF: join(dir, 'config'),
      ES_TMPDIR: join(dir, 'tmp'),
      // Its launcher is a second Java that only watches.
      CLI_JAVA_OPTS: '-Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1',
    },
    // A process group of its own: Ctrl-C at the terminal reaches the supervisor, which stops things in order.
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const exited = new Promise<Exit>((settle) => {
    child.once('exit', (code, signal) => settle({ code, signal }));
    child.once('error', () => settle({ code: null, signal: null }));
  });
  endWithParent(child, 'TERM');
  return { child, exited };
}

/** Its configuration is made anew at each start; only `data` is kept. */
async function configure(
  options: ElasticsearchOptions,
  dir: string,
  owner: { uid: number; gid: number } | undefined,
): Promise<void> {
  const config = join(dir, 'config');
  await rm(config, { recursive: true, force: true });
  const folders = ['data', 'tmp', 'config', 'config/jvm.options.d'].map((name) => join(dir, name));
  for (const folder of folders) await mkdir(folder, { recursive: true });
  const files = {
    ...options.files,
    'elasticsearch.yml': settingsOf(options, dir),
    'jvm.options': jvmOptions(options.heapMb ?? 512),
    'log4j2.properties': logging,
  };
  for (const [name, text] of Object.entries(files))
    await writeFile(join(config, name), text, { mode: 0o600 });
  if (!owner) return;
  const written = Object.keys(files).map((name) => join(config, name));
  for (const path of [...folders, ...written]) await chown(path, owner.uid, owner.gid);
}

function settingsOf({ port, settings }: ElasticsearchOptions, dir: string): string {
  const all = {
    'cluster.name': 'flywheel',
    'discovery.type': 'single-node',
    'http.host': '127.0.0.1',
    'http.port': `${port}`,
    // Nobody joins a single node; any free port will do.
    'transport.host': '127.0.0.1',
    'transport.port': '0',
    'path.data': join(dir, 'data'),
    'path.logs': dir,
    'xpack.security.enabled': 'false',
    // A full laptop disk would else turn every index read-only.
    'cluster.routing.allocation.disk.threshold_enabled': 'false',
    ...settings,
  };
  // JSON is YAML, and quotes whatever a path may hold.
  return `${Object.entries(all)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join('\n')}\n`;
}

/** Small and quick to start, for a machine that has other things to do. */
function jvmOptions(heapMb: number): string {
  return [
    ...[`-Xms${heapMb}m`, `-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Elasticsearch fills it in.
    ...['-Djava.io.tmpdir=${ES_TMPDIR}', '-XX:+ExitOnOutOfMemoryError'],
    '',
  ].join('\n');
}

const logging = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`;

async function untilItAnswers(options: ElasticsearchOptions, exited: Promise<Exit>): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  let exit: Exit | undefined;
  void exited.then((how) => {
    exit = how;
  });
  while (Date.now() < deadline) {
    options.signal?.throwIfAborted();
    if (exit) throw new UnavailableError(`Elasticsearch ended while starting (${exit.signal ?? exit.code}).`);
    if (await answers(options)) return;
    await sleep(250);
  }
  throw new UnavailableError(`Elasticsearch did not answer within ${startTimeoutMs / 1000} s.`);
}

/** With security on, being asked for a login is an answer; its certificate is for its users to check. */
async function answers(options: ElasticsearchOptions): Promise<boolean> {
  if (schemeOf(options) === 'https') return isPortTaken(options.port);
  try {
    const path = '_cluster/health?filter_path=status';
    const reply = await fetch(`http://127.0.0.1:${options.port}/${path}`, {
      signal: AbortSignal.timeout(5_000),
    });
    return reply.status === 200 || reply.status === 401;
  } catch {
    return false;
  }
}

function schemeOf({ settings }: ElasticsearchOptions): 'http' | 'https' {
  return settings?.['xpack.security.http.ssl.enabled'] === 'true' ? 'https' : 'http';
}

async function stop(child: ChildProcess, exited: Promise<Exit>): Promise<void> {
  child.kill('SIGTERM');
  // By the group: the launcher's child is the server.
  const insist = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(insist);
}

/** A server that was just killed keeps its port for a moment. */
async function becomesFree(port: number): Promise<boolean> {
  for (const deadline = Date.now() + portPatienceMs; await isPortTaken(port); await sleep(100))
    if (Date.now() > deadline) return false;
  return true;
}
