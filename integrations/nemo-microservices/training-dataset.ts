import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import type { ArtifactStore } from '../../activities/ports/artifact-store.ts';
import type { FineTuneRequest } from '../../activities/ports/trainer.ts';
import type { ArtifactRef } from '../../domain/datasets/dataset.ts';
import { RejectedError } from '../../domain/errors.ts';
import { sha256 } from '../../domain/hash.ts';
import { createDataStore, type DataStore } from './data-store.ts';
import { createEntityStore, type EntityStore } from './entity-store.ts';
import { ourName } from './names.ts';
import type { NemoSettings } from './settings.ts';
import { toCustomizerRow } from './training-row.ts';
import { createTransport } from './transport.ts';

/** Training datasets at the service: files in the Data Store, a name in the Entity Store. */
export interface Datasets {
  /** The name, without namespace, of the request's dataset; made where it is missing. */
  ensure(request: FineTuneRequest): Promise<string>;
}

export function createDatasets(
  settings: NemoSettings,
  artifacts: Pick<ArtifactStore, 'readLines'>,
): Datasets {
  const dataStore = createDataStore(settings);
  const entityStore = createEntityStore(createTransport(settings, settings.url));
  return { ensure: (request) => ensure({ settings, artifacts, dataStore, entityStore }, request) };
}

interface Context {
  readonly settings: NemoSettings;
  readonly artifacts: Pick<ArtifactStore, 'readLines'>;
  readonly dataStore: DataStore;
  readonly entityStore: EntityStore;
}

/**
 * One repository per run and content, shared by the run's experiments. Files are named by their content, and the
 * commit takes all or none, so what is listed needs no second upload.
 */
async function ensure(context: Context, request: FineTuneRequest): Promise<string> {
  const { settings, dataStore, entityStore } = context;
  if (request.train.rows === 0)
    throw new RejectedError('The training rows cannot be used: there are none, the file is empty.');
  const content = `${request.train.sha256} ${request.validation.sha256}`;
  const name = ourName(request.metadata, `${request.metadata['run_id'] ?? request.key} ${content}`);
  const repo = `${settings.namespace}/${name}`;
  await entityStore.ensureNamespace(settings.namespace);
  await dataStore.ensureNamespace(settings.namespace);
  await dataStore.ensureRepo(repo);
  const wanted = [
    { folder: 'training', artifact: request.train },
    ...(request.validation.rows > 0 ? [{ folder: 'validation', artifact: request.validation }] : []),
  ].map(({ folder, artifact }) => ({ path: `${folder}/${artifact.sha256}.jsonl`, artifact }));
  const stored = new Set(await dataStore.list(repo));
  const missing = wanted.filter(({ path }) => !stored.has(path));
  if (missing.length > 0) await upload(context, repo, missing);
  await entityStore.ensureDataset({
    fullName: repo,
    description: `Flywheel: training rows of ${request.metadata['dataset_id'] ?? name}`,
    customFields: request.metadata,
  });
  return name;
}

/** By way of files: hashes and sizes are needed before the first byte is sent, and a dataset may be large. */
async function upload(
  { artifacts, dataStore }: Context,
  repo: string,
  files: readonly { path: string; artifact: ArtifactRef }[],
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'flywheel-nemo-'));
  try {
    const uploads = [];
    for (const { path, artifact } of files) {
      const file = join(dir, sha256(path));
      await pipeline(Readable.from(rows(artifacts, artifact)), createWriteStream(file));
      uploads.push({ path, content: pathToFileURL(file) });
    }
    await dataStore.upload(repo, uploads);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function* rows(
  artifacts: Pick<ArtifactStore, 'readLines'>,
  { uri }: ArtifactRef,
): AsyncIterable<string> {
  let line = 0;
  for await (const text of artifacts.readLines(uri)) {
    line += 1;
    yield `${toCustomizerRow(text, line)}\n`;
  }
}
