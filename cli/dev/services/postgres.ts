import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import { chown, mkdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  embeddedDatabase,
  embeddedDatabasePassword,
  embeddedDatabaseUrl,
} from '../../../config/embedded-database.ts';
import { ConflictError, InvalidInputError, UnavailableError } from '../../../domain/errors.ts';
import { endWithParent } from './end-with-parent.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import { clearDataDir, isReady, readOr } from './postmaster.ts';
import { type UnprivilegedUser, unprivilegedUser } from './unprivileged-user.ts';

/** Enough for weeks of warnings; the log is emptied at a start that finds more. */
const maxLogBytes = 5_000_000;

export interface PostgresOptions {
  /** Holds `data/`, `password` and `postgres.log`. Made when absent. */
  readonly dir: string;
  readonly port: number;
  /** More server settings, such as `{fsync: 'off'}` for tests that need no durability. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Aborted while it starts: it is ended, and the start rejects. */
  readonly signal?: AbortSignal;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface PostgresService {
  /** With its password: not for logs. */
  readonly url: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the server has ended, wanted or not. */
  readonly exited: Promise<Ended>;
  /** Disconnects clients, writes everything out, ends. Harmless when it has ended. */
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL of our own, on loopback only, and waits until it answers (about a second).
 *
 * The first start makes the cluster. A start after a crash recovers it. The server ends with this process.
 * Throws `ConflictError` when the port is taken or another supervisor runs it, `UnavailableError` with the
 * end of the server's log when it does not come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresService> {
  const dir = resolve(options.dir);
  const dataDir = join(dir, 'data');
  const logFile = join(dir, 'postgres.log');
  await mkdir(dir, { recursive: true });
  const binaries = await postgresBinaries();
  const user = unprivilegedUser('PostgreSQL', 'DATABASE_URL', binaries.postgres, dataDir, dir);
  const password = await ensurePassword(dir);

  if (!existsSync(dataDir)) await initialise(binaries, user, dir, password);
  const supervisorFile = join(dir, 'supervisor.pid');
  await clearDataDir(dataDir, Number.parseInt(readOr(supervisorFile, ''), 10) || null);
  await writeFile(supervisorFile, `${process.pid}\n`);
  if (((await stat(logFile).catch(() => null))?.size ?? 0) > maxLogBytes) await truncate(logFile);

  const child = await launch(binaries, user, { ...options, dir: dataDir }, logFile);
  const exited = endOf(child);
  return {
    url: embeddedDatabaseUrl(`127.0.0.1:${options.port}`, password),
    pid: child.pid as number,
    logFile,
    exited,
    stop: () => stop(child, exited),
  };
}

/** Also when it ended before anybody looked. */
async function endOf(child: ChildProcess): Promise<Ended> {
  const { exitCode: code, signalCode: signal } = child;
  if (code !== null || signal !== null) return { code, signal };
  return new Promise((settle) => {
    child.once('exit', (exitCode, exitSignal) => settle({ code: exitCode, signal: exitSignal }));
  });
}

async function ensurePassword(dir: string): Promise<string> {
  const kept = embeddedDatabasePassword(dir);
  if (kept) return kept;
  if (existsSync(join(dir, 'data'))) {
    throw new InvalidInputError(
      `${join(dir, 'password')} is gone, so nobody can log in to the data beside it. ` +
        'Put it back, or move the folder away to begin anew.',
    );
  }
  const password = randomBytes(24).toString('hex');
  const path = join(dir, 'password');
  await writeFile(`${path}.new`, `${password}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return password;
}

/** Makes the cluster beside its place and renames it: an interrupted initialisation leaves nothing half done. */
async function initialise(
  binaries: PostgresBinaries,
  user: UnprivilegedUser,
  dir: string,
  password: string,
): Promise<void> {
  const fresh = join(dir, 'data.new');
  const passwordFile = join(dir, 'password.initdb');
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user.owner) {
    await chown(fresh, user.owner.uid, user.owner.gid);
    await chown(passwordFile, user.owner.uid, user.owner.gid);
  }
  try {
    const { command, args } = user.wrap(binaries.initdb, [
      ...['-D', fresh, '-U', embeddedDatabase.user, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
      // Byte order everywhere, whatever the machine's locale.
      ...['--encoding=UTF8', '--no-locale'],
    ]);
    await promisify(execFile)(command, args, { ...user.spawnOptions, cwd: '/' });
    await createDatabase(binaries, user, fresh);
    await rename(fresh, join(dir, 'data'));
  } catch (cause) {
    const detail = (cause as { stderr?: string }).stderr?.trim() || String(cause);
    throw new UnavailableError(`PostgreSQL could not create its files in ${dir}: ${detail}`, { cause });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** In single-user mode, so that the finished cluster has its database from its first moment. */
async function createDatabase(
  binaries: PostgresBinaries,
  user: UnprivilegedUser,
  dataDir: string,
): Promise<void> {
  const { command, args } = user.wrap(binaries.postgres, ['--single', '-D', dataDir, 'postgres']);
  const running = promisify(execFile)(command, args, { ...user.spawnOptions, cwd: '/' });
  running.child.stdin?.end(`create database ${embeddedDatabase.name};\n`);
  await running;
}

async function launch(
  binaries: PostgresBinaries,
  user: UnprivilegedUser,
  options: PostgresOptions,
  logFile: string,
): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    ...options.settings,
  };
  const { command, args } = user.wrap(binaries.postgres, [
    ...['-D', options.dir, '-p', `${options.port}`],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    const logStart = readOr(logFile, '').length;
    const log = openSync(logFile, 'a', 0o600);
    const child = spawn(command, args, {
      ...user.spawnOptions,
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    endWithParent(child, 'INT');
    if (await untilReady(child, options)) return child;
    const said = readOr(logFile, '').slice(logStart);
    // Backends of a killed server take a moment to notice that it is gone.
    if (!said.includes('shared memory block') || attempt === 20) throw startFailure(said, options);
    await sleep(500);
  }
}

/** False when the server ended instead. Recovery after a crash may take a while, so there is no time limit. */
async function untilReady(child: ChildProcess, { dir, signal }: PostgresOptions): Promise<boolean> {
  // A program that cannot be run has no process id; the event would else be thrown.
  child.once('error', () => undefined);
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    if (await isReady(dir, child.pid)) return true;
    if (signal?.aborted) {
      await stop(child, endOf(child));
      throw signal.reason;
    }
    await sleep(25);
  }
  return false;
}

function startFailure(said: string, options: PostgresOptions): Error {
  if (said.includes('Address already in use')) {
    return new ConflictError(
      `Port ${options.port} is taken, so PostgreSQL cannot listen there. ` +
        'Stop what uses it, or move every port with --port-offset.',
    );
  }
  const tail = said.trim().split('\n').slice(-5).join('\n');
  return new UnavailableError(`PostgreSQL did not start on ${options.dir}. The end of its log:\n${tail}`);
}

/** "Fast" first; a server that hangs is ended the hard way and recovers at its next start. */
async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const ended = await Promise.race([exited.then(() => true), sleep(10_000, false, { ref: false })]);
    if (ended) return;
  }
}
