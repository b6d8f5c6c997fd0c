import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where set-up keeps big, immutable things that several clones of one user share: Temporal's server, uv, the
 * Python environment. FLYWHEEL_CACHE, else the user's cache folder.
 */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.FLYWHEEL_CACHE) return resolve(env.FLYWHEEL_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'flywheel');
}

export function temporalCacheDir(env?: NodeJS.ProcessEnv): string {
  return join(cacheDir(env), 'temporal');
}
