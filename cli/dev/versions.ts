import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, repositoryRoot } from '../../config/config.ts';
import { temporalCacheDir } from '../setup/cache.ts';
import { findElasticsearch } from '../setup/find-elasticsearch.ts';
import { findJava } from '../setup/find-java.ts';
import { findPython } from '../setup/find-python.ts';
import { findTemporal } from '../setup/find-temporal.ts';
import { pythonPath } from '../setup/python-environment.ts';

export interface Versions {
  readonly flywheel: string;
  readonly node: string;
  /** null: none that is new enough. */
  readonly python: string | null;
  /** Path of the model server's interpreter; null: not set up, or not needed. */
  readonly pythonEnvironment: string | null;
  /** Path of Temporal's dev server; null: not set up, or not needed. */
  readonly temporalBinary: string | null;
  /** null: none. Only the embedded Elasticsearch needs one. */
  readonly java: string | null;
  /** Folder of the embedded Elasticsearch; null: not set up, or not needed. */
  readonly elasticsearch: string | null;
}

/** What this installation consists of. Only looks; fetches nothing. */
export async function versionsOf(config: Config): Promise<Versions> {
  const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  const search = { cacheDir: temporalCacheDir(), onProgress: () => undefined, mayFetch: false };
  const { logStore } = config;
  const wantsElasticsearch = logStore.kind === 'elasticsearch' && logStore.embedded;
  const [python, environment, temporal, java, elasticsearch] = await Promise.all([
    findPython(),
    config.modelServer.embedded ? pythonPath().catch(() => null) : null,
    config.temporal.embedded ? findTemporal(search).catch(() => null) : null,
    findJava(),
    wantsElasticsearch ? findElasticsearch() : null,
  ]);
  return {
    flywheel: manifest.version,
    node: process.versions.node,
    python: python?.version ?? null,
    pythonEnvironment: environment,
    temporalBinary: temporal?.path ?? null,
    java: java ? String(java.version) : null,
    elasticsearch: elasticsearch?.distribution ?? null,
  };
}
