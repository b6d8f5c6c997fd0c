import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { AdapterFiles, Probe } from '../../activities/ports/adapter-files.ts';
import { FlywheelError, NotFoundError, UnavailableError } from '../../domain/errors.ts';

/** Where an adapter lies until it is whole. */
const incomingPrefix = '.incoming-';
const fileTimeoutMs = 60 * 60_000;
/** Each file that begins to arrive touches its folder, so that one who lives has done so within `fileTimeoutMs`. */
const abandonedAfterMs = 2 * fileTimeoutMs;

/** A folder that we write and vLLM reads, which may see it under another path. */
export interface AdapterFolderSettings {
  readonly folder: string;
  readonly seenAs: string;
}

/** Where adapters lie for vLLM, one folder each. Whole or not there: written aside, then renamed. */
export interface AdapterFolder {
  /** Fetches the adapter unless it lies there; its folder as vLLM sees it. Throws `NotFoundError`. */
  put(model: string): Promise<string>;
  /** Its trainer's record of it; empty where there is none, or the trainer cannot be asked now. */
  probes(model: string): Promise<readonly Probe[]>;
  /** Whether this is where the adapter would lie: a path of ours. */
  holds(seen: string | null, model: string): boolean;
  /** Harmless when it is gone. */
  remove(model: string): Promise<void>;
}

/** `sources`: the adapters' files of whoever trains for this vLLM, asked in turn. */
export function createAdapterFolder(
  { folder, seenAs }: AdapterFolderSettings,
  sources: readonly AdapterFiles[],
): AdapterFolder {
  const seen = (model: string) => `${seenAs.replace(/\/+$/, '')}/${folderName(model)}`;
  return {
    async put(model) {
      const target = join(folder, folderName(model));
      if (!(await isThere(target))) await fetchInto(folder, target, model, sources);
      return seen(model);
    },
    probes: (model) => probesOf(model, sources),
    holds: (path, model) => path !== null && path.replace(/\/+$/, '') === seen(model),
    remove: (model) => rm(join(folder, folderName(model)), { recursive: true, force: true }),
  };
}

/** An adapter outlives its trainer: what serves it does not stand still because that one is away. */
async function probesOf(model: string, sources: readonly AdapterFiles[]): Promise<readonly Probe[]> {
  for (const source of sources) {
    const probes = await source.probes?.(model).catch((error: unknown) => {
      if (error instanceof FlywheelError) return undefined;
      throw error;
    });
    if (probes !== undefined && probes.length > 0) return probes;
  }
  return [];
}

/** Model ids hold colons and slashes; the hash keeps two apart that differ in them alone. */
function folderName(model: string): string {
  const hash = createHash('sha256').update(model).digest('hex').slice(0, 8);
  return `${model.replace(/[^A-Za-z0-9.-]+/g, '_').slice(-80)}-${hash}`;
}

async function isThere(path: string): Promise<boolean> {
  return (await readdir(path).catch(() => [])).length > 0;
}

async function fetchInto(
  folder: string,
  target: string,
  model: string,
  sources: readonly AdapterFiles[],
): Promise<void> {
  await removeAbandoned(folder);
  const incoming = join(folder, `${incomingPrefix}${randomUUID()}`);
  await mkdir(incoming, { recursive: true, mode: 0o755 });
  try {
    await fetchFiles(incoming, model, sources);
    await rename(incoming, target).catch(async (error: unknown) => {
      // Another process was quicker: the same files.
      if (!(await isThere(target))) throw error;
    });
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
}

/** What processes left that were killed while they fetched; nobody asks for it by its name again. */
async function removeAbandoned(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(incomingPrefix))) {
    const path = join(folder, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      // It arrived meanwhile.
      () => 0,
    );
    // One that is not ours to remove must not keep this adapter from being fetched.
    if (age > abandonedAfterMs) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function fetchFiles(into: string, model: string, sources: readonly AdapterFiles[]): Promise<void> {
  for (const source of sources) {
    const listing = await source.list(model).catch((error: unknown) => {
      if (error instanceof NotFoundError) return null;
      throw error;
    });
    if (listing === null) continue;
    for (const { name, sha256 } of listing.files) {
      const signal = AbortSignal.timeout(fileTimeoutMs);
      const hash = createHash('sha256');
      await pipeline(
        source.read({ model, of: 'adapter', name, signal }),
        async function* hashed(chunks: AsyncIterable<Uint8Array>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            yield chunk;
          }
        },
        createWriteStream(join(into, name), { flags: 'wx', mode: 0o644 }),
      );
      if (hash.digest('hex') !== sha256) {
        throw new UnavailableError(`${name} of ${model} arrived damaged; it is fetched again.`, {
          kind: 'failing',
        });
      }
    }
    return;
  }
  throw new NotFoundError(
    `No trainer hands out the files of ${model}: vLLM can serve what a trainer lets be read (\`flywheel export-adapter\` says more).`,
  );
}
