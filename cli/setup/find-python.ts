import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Newest first; `python3` is usually one of them. */
const names = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python'];
const oldest = [3, 11] as const;

export interface Python {
  readonly path: string;
  /** `3.11.7` */
  readonly version: string;
}

/** The first Python on the PATH that is new enough, or null. */
export async function findPython(): Promise<Python | null> {
  for (const name of names) {
    const python = await inspect(name);
    if (python) return python;
  }
  return null;
}

async function inspect(name: string): Promise<Python | null> {
  const script = 'import sys; print(sys.executable); print(".".join(map(str, sys.version_info[:3])))';
  const output = await promisify(execFile)(name, ['-c', script], { timeout: 20_000 }).catch(() => null);
  const [path, version] = output?.stdout.trim().split('\n') ?? [];
  if (!path || !version) return null;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === oldest[0] && minor >= oldest[1] ? { path, version } : null;
}
