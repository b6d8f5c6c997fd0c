import { createHash } from 'node:crypto';
import type { AdapterFile, AdapterFiles, AdapterListing } from '../../activities/ports/adapter-files.ts';
import { NotFoundError } from '../../domain/errors.ts';
import { createFilesClient, type FilesClient } from './files.ts';
import { createModelsClient, type ModelsClient } from './models.ts';
import { type Reference, toReference } from './names.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport } from './transport.ts';

/** What PEFT loads lies beside each other; a fileset may hold more, such as checkpoints in folders. */
const plainName = /^\w[\w.-]*$/;

/**
 * The files of an adapter's fileset, where its backend has put them: our PEFT plug-in does. The platform tells no
 * hashes, so that a listing reads each file once. Of the base nothing is handed out.
 */
export function createAdapterFiles(settings: NemoPlatformSettings): AdapterFiles {
  const transport = createTransport(settings);
  const sources: Sources = {
    settings,
    files: createFilesClient(transport),
    models: createModelsClient(transport),
  };
  return {
    list: (model) => list(sources, model),
    read: (file) => read(sources, file),
  };
}

interface Sources {
  readonly settings: NemoPlatformSettings;
  readonly files: FilesClient;
  readonly models: ModelsClient;
}

async function list(sources: Sources, model: string): Promise<AdapterListing> {
  const { fileset, base } = await find(sources, model);
  const stored = await sources.files.files(fileset);
  const files: AdapterFile[] = [];
  for (const { path } of stored.filter((file) => plainName.test(file.path))) {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of sources.files.read(fileset, path)) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    files.push({ name: path, bytes, sha256: hash.digest('hex') });
  }
  return { files, base: { id: base, hubId: null, files: [] } };
}

async function* read(
  sources: Sources,
  { model, of, name, signal }: Parameters<AdapterFiles['read']>[0],
): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  const { fileset } = await find(sources, model);
  const isListed = of === 'adapter' && plainName.test(name);
  const stored = isListed ? await sources.files.files(fileset) : [];
  if (!stored.some(({ path }) => path === name)) {
    throw new NotFoundError(`${sources.settings.name} has no file ${name} of ${model}.`);
  }
  yield* sources.files.read(fileset, name, signal);
}

async function find({ models, settings }: Sources, model: string) {
  const reference: Reference = toReference(model, settings.workspace);
  const adapter = await models.adapter(reference);
  if (adapter === null) throw new NotFoundError(`${settings.name} has no adapter ${model}.`);
  const base = toReference(adapter.model ?? 'unknown', reference.workspace).name;
  return { fileset: toReference(adapter.fileset, reference.workspace), base };
}
