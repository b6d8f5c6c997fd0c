import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProvidedContext } from 'vitest';
import type { TestProject } from 'vitest/node';
import { freePort } from './free-port.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A real PostgreSQL; make a database of your own by `test/support/database.ts`. */
    databaseUrl: string;
    /** A real Elasticsearch, or '' where it cannot run (its tests skip); take an index of your own (`test/support/elasticsearch.ts`). */
    elasticsearchUrl: string;
    /** A real Temporal dev server, namespace `default`; choose workflow ids and task queues of your own. */
    temporalAddress: string;
    /** The real model server, managed, with nano-1m. It trains one job at a time. */
    modelServerUrl: string;
    /**
     * The real NeMo Platform, with our PEFT plug-in and nothing in it (`test/support/nemo-platform.ts`). Its jobs of
     * the profile `brief` may take 4 s.
     */
    nemoPlatformUrl: string;
  }
}

interface Service {
  stop(): Promise<void>;
}

type Starter = (project: TestProject, dir: string) => Promise<Service>;

/** Imported late, so that a run starts, and needs, no more than it uses. */
const starters: Record<keyof ProvidedContext, Starter> = {
  databaseUrl: async (project, dir) => {
    const { startPostgres } = await import('../../cli/dev/services/postgres.ts');
    // No durability: these databases live as long as the tests.
    const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
    const postgres = await startPostgres({ dir: join(dir, 'postgres'), port: await freePort(), settings });
    project.provide('databaseUrl', postgres.url);
    return postgres;
  },
  elasticsearchUrl: async (project, dir) => {
    const { elasticsearchForTests } = await import('./elasticsearch-server.ts');
    const server = await elasticsearchForTests(join(dir, 'elasticsearch'));
    project.provide('elasticsearchUrl', server?.url ?? '');
    return server ?? { stop: async () => undefined };
  },
  temporalAddress: async (project) => {
    const { startTemporal } = await import('../../cli/dev/services/temporal.ts');
    const { findTemporal } = await import('../../cli/setup/find-temporal.ts');
    const { temporalCacheDir } = await import('../../cli/setup/cache.ts');
    const { path } = await findTemporal({ cacheDir: temporalCacheDir(), onProgress: console.log });
    const port = await freePort();
    const temporal = await startTemporal({
      binary: path,
      port,
      uiPort: null,
      databaseFile: null,
      onLine: () => {},
    });
    project.provide('temporalAddress', temporal.address);
    return temporal;
  },
  modelServerUrl: async (project, dir) => {
    const { startModelServer } = await import('../../cli/dev/services/model-server.ts');
    const { pythonPath } = await import('../../cli/setup/python-environment.ts');
    const server = await startModelServer({
      python: await pythonPath(),
      dataDir: join(dir, 'model-server'),
      port: await freePort(),
    });
    await loadModel(server.url);
    project.provide('modelServerUrl', server.url);
    return server;
  },
  nemoPlatformUrl: async (project, dir) => {
    const { startNemoPlatform } = await import('../../cli/dev/services/nemo-platform.ts');
    const { prepareNemoPlatform } = await import('../../cli/setup/nemo-platform-environment.ts');
    const tools = await prepareNemoPlatform(console.log);
    const dataDir = join(dir, 'nemo-platform');
    const timeLimits = { brief: 4 };
    const platform = await startNemoPlatform({ ...tools, dataDir, port: await freePort(), timeLimits });
    project.provide('nemoPlatformUrl', platform.url);
    return platform;
  },
};

/**
 * The first answer loads the model and, on a machine that has just started, the libraries: no test has to wait for it.
 * Where there is none, the tests find out.
 */
async function loadModel(modelServerUrl: string): Promise<void> {
  const messages = [{ role: 'user', content: 'hi' }];
  await fetch(`${modelServerUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'nano-1m', messages, max_completion_tokens: 1 }),
  }).catch(() => undefined);
}

/** Starts, once for all, those services that the chosen test files inject. */
export default async function startServices(project: TestProject): Promise<() => Promise<void>> {
  const wanted = await injectedBy(project);
  const dir = await mkdtemp(join(tmpdir(), 'flywheel-test-'));
  const started = await Promise.allSettled(wanted.map((key) => starters[key](project, dir)));
  const services = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async () => {
    await Promise.allSettled(services.map((service) => service.stop()));
    await rm(dir, { recursive: true, force: true });
  };
  const failure = started.find((result) => result.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  return stop;
}

/** Reads it off the text of the files, and of what they import from `test/` in turn. */
async function injectedBy(project: TestProject): Promise<(keyof ProvidedContext)[]> {
  // Vitest marks its file filter as internal; without it every file counts, which only starts more.
  const filters: string[] | undefined = Reflect.get(project.vitest, 'filenamePattern');
  const { testFiles } = await project.globTestFiles(filters);
  const texts = new Map<string, string>();
  for (const file of testFiles) await collect(file, texts);
  const keys = Object.keys(starters) as (keyof ProvidedContext)[];
  return keys.filter((key) => [...texts.values()].some((text) => text.includes(`inject('${key}')`)));
}

const testDir = join(import.meta.dirname, '..');

async function collect(file: string, texts: Map<string, string>): Promise<void> {
  if (texts.has(file) || !file.startsWith(testDir)) return;
  const text = await readFile(file, 'utf8').catch(() => '');
  texts.set(file, text);
  for (const [, path = ''] of text.matchAll(/from '(\.[^']+\.ts)'/g))
    await collect(join(file, '..', path), texts);
}
