import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictError } from '../../../domain/errors.ts';

/** PostgreSQL's own lock file: line 1 its process id, line 8 `ready` once it accepts connections. */
function pidFile(dataDir: string): string {
  return join(dataDir, 'postmaster.pid');
}

export async function isReady(dataDir: string, pid: number): Promise<boolean> {
  const lines = (await readFile(pidFile(dataDir), 'utf8').catch(() => '')).split('\n');
  return lines[0] === `${pid}` && lines[7]?.trim() === 'ready';
}

/**
 * Makes the data directory free to start on.
 *
 * A lock file of a dead process, or of a process id that now belongs to something else (containers reuse
 * them), is removed. A server that outlived its supervisor is shut down; one whose supervisor lives is
 * refused with `ConflictError`.
 */
export async function clearDataDir(dataDir: string, supervisorPid: number | null): Promise<void> {
  const pid = Number.parseInt(readOr(pidFile(dataDir), ''), 10);
  if (!Number.isInteger(pid)) return;
  if (!isPostmasterOf(pid, dataDir)) {
    rmSync(pidFile(dataDir), { force: true });
    return;
  }
  if (supervisorPid !== null && isAlive(supervisorPid)) {
    throw new ConflictError(
      `PostgreSQL already runs on ${dataDir} (process ${pid}, started by process ${supervisorPid}). ` +
        'Stop that one first (flywheel stop), or use another FLYWHEEL_HOME.',
    );
  }
  process.kill(pid, 'SIGINT');
  await waitForEnd(pid, dataDir);
}

async function waitForEnd(pid: number, dataDir: string): Promise<void> {
  const end = Date.now() + 15_000;
  // By its command line: a dead process that nobody collects keeps its id, not its command.
  while (isPostmasterOf(pid, dataDir)) {
    if (Date.now() > end) throw new ConflictError(`PostgreSQL process ${pid} does not end; stop it by hand.`);
    await sleep(50);
  }
}

function isPostmasterOf(pid: number, dataDir: string): boolean {
  return isAlive(pid) && commandLine(pid).includes(`-D ${dataDir} `);
}

function commandLine(pid: number): string {
  if (process.platform === 'linux') return readOr(`/proc/${pid}/cmdline`, '').replaceAll('\0', ' ');
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', `${pid}`], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export function readOr<T>(path: string, otherwise: T): string | T {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
