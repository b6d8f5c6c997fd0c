import type { Config } from '../../config/config.ts';
import { temporalCacheDir } from './cache.ts';
import { exclusive } from './exclusive.js';
import { type ElasticsearchTools, prepareElasticsearch } from './find-elasticsearch.ts';
import { findTemporal } from './find-temporal.ts';
import { type NemoPlatformTools, prepareNemoPlatform } from './nemo-platform-environment.ts';
import { preparePython } from './python-environment.ts';

/** What the embedded servers of a configuration run on; null for a server that is somebody else's. */
export interface Tools {
  readonly temporalBinary: string | null;
  readonly python: string | null;
  readonly elasticsearch: ElasticsearchTools | null;
  readonly nemoPlatform: NemoPlatformTools | null;
}

/**
 * Fetches what the configuration's embedded servers need and is not there yet, one after the other: each
 * uses the whole machine. Says what it does and how long it takes. Quick when all is there.
 */
export async function prepare(
  config: Config,
  note: (line: string) => void,
  signal?: AbortSignal,
): Promise<Tools> {
  // The cheap and most often missing thing first: without Python nothing is worth building.
  const python = config.modelServer.embedded ? await preparePython(note, signal) : null;
  const temporalBinary = config.temporal.embedded ? await prepareTemporal(note, signal) : null;
  const elasticsearch = isEmbedded(config.logStore) ? await prepareElasticsearch(note, signal) : null;
  const nemoPlatform = config.nemoPlatform ? await prepareNemoPlatform(note, signal) : null;
  return { python, temporalBinary, elasticsearch, nemoPlatform };
}

function isEmbedded(logStore: Config['logStore']): boolean {
  return logStore.kind === 'elasticsearch' && logStore.embedded;
}

async function prepareTemporal(note: (line: string) => void, signal?: AbortSignal): Promise<string> {
  const dir = temporalCacheDir();
  const search = (mayFetch: boolean) =>
    findTemporal({ cacheDir: dir, onProgress: note, mayFetch, ...(signal && { signal }) });
  const found = await search(false).catch(() => null);
  if (found) return found.path;
  const wait = () => note('Another set-up is fetching Temporal’s dev server; waiting for it.');
  const fetched = await exclusive(`${dir}.queue`, wait, () => search(true));
  return fetched.path;
}
