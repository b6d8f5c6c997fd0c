import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InvalidInputError } from '../../domain/errors.ts';
import type { Python } from './find-python.ts';
import { runStep } from './run-step.ts';

/** The version that wrote `model-server/uv.lock`. */
const version = '0.13.8';
/** Reads the lock file's format. */
const oldest = [0, 9] as const;

/** uv from the PATH, else our own copy in the cache, installed by pip (about 5 s). */
export async function findUv(
  cache: string,
  python: Python,
  note: (line: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  if (await isRecent('uv')) return 'uv';
  const folder = join(cache, `uv-${version}`);
  const path = join(folder, 'bin', 'uv');
  if (existsSync(path)) return path;
  await requirePip(python);
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  note('Installing uv, which installs the Python packages: a few seconds.');
  await runStep({
    title: 'Installing uv',
    command: python.path,
    // --target leaves the system's Python as it is, and works where it is "externally managed".
    args: ['-m', 'pip', 'install', '--quiet', '--target', partial, `uv==${version}`],
    note,
    ...(signal && { signal }),
  });
  await rename(partial, folder);
  return path;
}

async function isRecent(command: string): Promise<boolean> {
  const output = await promisify(execFile)(command, ['--version'], { timeout: 20_000 }).catch(() => null);
  const [major = 0, minor = 0] = (/^uv (\d+)\.(\d+)/.exec(output?.stdout ?? '')?.slice(1) ?? []).map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

async function requirePip(python: Python): Promise<void> {
  await promisify(execFile)(python.path, ['-m', 'pip', '--version'], { timeout: 20_000 }).catch(() => {
    throw new InvalidInputError(
      `The Python packages cannot be installed: neither uv nor pip (for ${python.path}) is here; install one of them.`,
    );
  });
}
