import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InvalidInputError } from '../../domain/errors.ts';
import { cacheDir } from './cache.ts';
import { exclusive } from './exclusive.js';
import { findJava } from './find-java.ts';
import { runStep } from './run-step.ts';

/** Elasticsearch's own bundle for integration tests: the server without its optional modules. */
const artifact = 'org.elasticsearch.distribution.integ-test-zip:elasticsearch';

/** What is tried, with the oldest Java that each starts on. The first is what a stack runs. */
export const elasticsearchVersions = [
  { version: '8.19.0', java: 17 },
  { version: '9.2.0', java: 21 },
] as const;

export type ElasticsearchVersion = (typeof elasticsearchVersions)[number]['version'];

/** What the embedded Elasticsearch runs on. */
export interface ElasticsearchTools {
  /** The unpacked server. */
  readonly distribution: string;
  readonly javaHome: string;
}

/**
 * The server from our cache, else fetched by Maven (about 100 MB) and unpacked there. Says in one sentence
 * what is missing where it cannot be had.
 */
export async function prepareElasticsearch(
  note: (line: string) => void,
  signal?: AbortSignal,
  version: ElasticsearchVersion = elasticsearchVersions[0].version,
): Promise<ElasticsearchTools> {
  const javaHome = await requireJava(version);
  const distribution = distributionOf(version);
  if (!existsSync(distribution)) {
    await exclusive(
      `${distribution}.queue`,
      () => note('Another set-up is fetching Elasticsearch; waiting for it.'),
      async () => {
        if (!existsSync(distribution)) await fetchDistribution(version, distribution, note, signal);
      },
    );
  }
  return { distribution, javaHome };
}

/** What is there already; null when set-up has not fetched it, or Java is missing. */
export async function findElasticsearch(
  version: ElasticsearchVersion = elasticsearchVersions[0].version,
): Promise<ElasticsearchTools | null> {
  const distribution = distributionOf(version);
  const java = await findJava();
  return existsSync(distribution) && java && java.version >= oldestJava(version)
    ? { distribution, javaHome: java.home }
    : null;
}

function distributionOf(version: string): string {
  return join(cacheDir(), 'elasticsearch', version);
}

function oldestJava(version: ElasticsearchVersion): number {
  return elasticsearchVersions.find((known) => known.version === version)?.java ?? 17;
}

async function requireJava(version: ElasticsearchVersion): Promise<string> {
  const java = await findJava();
  const oldest = oldestJava(version);
  if (java && java.version >= oldest) return java.home;
  const found = java ? `Java ${java.version} is here` : 'Java is missing';
  throw new InvalidInputError(
    `The embedded Elasticsearch ${version} needs Java ${oldest} or newer, and ${found}: install it (or set ` +
      'JAVA_HOME), set ELASTICSEARCH_URL to a server of your own, or choose FLYWHEEL_LOG_STORE=postgres.',
  );
}

/** Into its place only when whole: an interrupted fetch leaves nothing half done. */
async function fetchDistribution(
  version: ElasticsearchVersion,
  distribution: string,
  note: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  await requireCommand('mvn', '-v', 'Maven');
  await requireCommand('unzip', '-v', 'unzip');
  const partial = `${distribution}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  note(`Fetching Elasticsearch ${version} by Maven (about 100 MB), once per machine.`);
  const step = (title: string, command: string, args: readonly string[]) =>
    runStep({ title, command, args, cwd: partial, note, ...(signal && { signal }) });
  // The ordinary client, which knows this machine's mirrors and proxies.
  await step('Fetching Elasticsearch', 'mvn', [
    ...['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}:${version}:zip`],
    `-DoutputDirectory=${partial}`,
  ]);
  await step('Unpacking Elasticsearch', 'unzip', ['-q', '-o', `elasticsearch-${version}.zip`]);
  const unpacked = join(partial, `elasticsearch-${version}`);
  await openToReaders(unpacked);
  await rename(unpacked, distribution);
  await rm(partial, { recursive: true, force: true });
}

/** It runs as another user where we are root. */
async function openToReaders(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToReaders(path);
    else await chmod(path, entry.parentPath.endsWith('/bin') ? 0o755 : 0o644);
  }
}

async function requireCommand(command: string, flag: string, name: string): Promise<void> {
  await promisify(execFile)(command, [flag], { timeout: 60_000 }).catch(() => {
    throw new InvalidInputError(
      `The embedded Elasticsearch cannot be fetched, since ${name} (\`${command}\`) is missing: install it, set ` +
        'ELASTICSEARCH_URL to a server of your own, or choose FLYWHEEL_LOG_STORE=postgres.',
    );
  });
}
