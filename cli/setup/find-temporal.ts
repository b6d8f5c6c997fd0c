import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { buildTemporal } from './build-temporal.ts';
import { cachedDownload, downloadTemporal } from './download-temporal.ts';

export interface FindTemporalOptions {
  /** Where a downloaded or built server is kept; shared by all clones of one user. */
  readonly cacheDir: string;
  /** Told what happens and how long it takes, one line at a time. */
  readonly onProgress: (line: string) => void;
  readonly env?: NodeJS.ProcessEnv;
  /** False: only look, neither download nor build (as `doctor` does). */
  readonly mayFetch?: boolean;
  /** Aborted: a download or build is ended, and the search fails. */
  readonly signal?: AbortSignal;
}

export interface TemporalBinary {
  readonly path: string;
  readonly origin: 'path' | 'cache' | 'download' | 'build';
}

/** Updates together with a start, which triggering a run needs, are on by default from this server on. */
const oldestServer = [1, 28];

/**
 * Finds the dev server, cheapest way first:
 *
 *     temporal on PATH → built or downloaded before → downloaded now → built now from its Go module
 *
 * Throws with one sentence that says what is missing when none of them works.
 */
export async function findTemporal(options: FindTemporalOptions): Promise<TemporalBinary> {
  const env = options.env ?? process.env;
  const onPath = await searchPath(env, options.onProgress);
  if (onPath) return { path: onPath, origin: 'path' };

  const cached = await firstUsable([
    join(options.cacheDir, 'temporal'),
    ...(await cachedDownload(options.cacheDir)),
  ]);
  if (cached) return { path: cached, origin: 'cache' };

  if (options.mayFetch === false) {
    throw new Error(
      'Temporal’s dev server is not installed yet: run `npm run setup`, or set TEMPORAL_ADDRESS.',
    );
  }
  const downloaded = await downloadTemporal(options);
  options.signal?.throwIfAborted();
  if (downloaded && (await serverVersion(downloaded))) return { path: downloaded, origin: 'download' };
  return { path: await buildTemporal({ ...options, env }), origin: 'build' };
}

async function searchPath(
  env: NodeJS.ProcessEnv,
  onProgress: (line: string) => void,
): Promise<string | null> {
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, 'temporal');
    if (!(await isExecutable(path))) continue;
    const version = await serverVersion(path);
    if (version && isRecent(version)) return path;
    onProgress(`Ignoring ${path}: it is not a Temporal CLI with server ${oldestServer.join('.')} or newer.`);
  }
  return null;
}

async function firstUsable(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    if ((await isExecutable(path)) && (await serverVersion(path))) return path;
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** `[1, 29, 1]` from `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)`; null when it says nothing such. */
async function serverVersion(path: string): Promise<number[] | null> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 20_000 });
    const match = /Server (\d+)\.(\d+)\.(\d+)/.exec(stdout);
    return match ? match.slice(1).map(Number) : null;
  } catch {
    return null;
  }
}

function isRecent(version: readonly number[]): boolean {
  const [major = 0, minor = 0] = version;
  const [oldestMajor = 0, oldestMinor = 0] = oldestServer;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
