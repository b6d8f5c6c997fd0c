import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArtifactRef } from '../../domain/datasets/dataset.ts';
import { pathOf, uriOf } from './paths.ts';

/** Gathered before each write: a line at a time would be a system call per line. */
const chunkBytes = 256 * 1024;

/**
 * Streams text into a file named after its hash: written aside, flushed, then renamed into place, so that
 * whatever stands there is whole. Equal content lands on the same name and is stored once.
 */
export async function storeText(
  folder: string,
  texts: AsyncIterable<string> | Iterable<string>,
  rowsOf: (text: string) => number,
): Promise<ArtifactRef> {
  const incoming = join(folder, 'incoming', randomUUID());
  await mkdir(dirname(incoming), { recursive: true, mode: 0o700 });
  const file = await open(incoming, 'wx', 0o600);
  try {
    const written = await writeAll(file, texts, rowsOf);
    await file.sync();
    await file.close();
    await putInPlace(incoming, pathOf(folder, written.sha256));
    return { uri: uriOf(written.sha256), ...written };
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(incoming, { force: true });
    throw error;
  }
}

async function writeAll(
  file: FileHandle,
  texts: AsyncIterable<string> | Iterable<string>,
  rowsOf: (text: string) => number,
): Promise<Omit<ArtifactRef, 'uri'>> {
  const hash = createHash('sha256');
  let [bytes, rows, pending] = [0, 0, ''];
  const flush = async () => {
    const chunk = Buffer.from(pending, 'utf8');
    pending = '';
    hash.update(chunk);
    bytes += chunk.length;
    await file.appendFile(chunk);
  };
  for await (const text of texts) {
    rows += rowsOf(text);
    pending += text;
    if (pending.length >= chunkBytes) await flush();
  }
  await flush();
  return { sha256: hash.digest('hex'), bytes, rows };
}

async function putInPlace(incoming: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rename(incoming, path);
  // The name itself must survive a power cut too.
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A writer that was killed leaves its half behind; a day is longer than any write takes. */
const abandonedAfterMs = 24 * 3_600_000;

export async function clearAbandoned(folder: string): Promise<void> {
  const incoming = join(folder, 'incoming');
  for (const name of await readdir(incoming).catch(() => [])) {
    const path = join(incoming, name);
    const age = Date.now() - ((await stat(path).catch(() => null))?.mtimeMs ?? Date.now());
    if (age > abandonedAfterMs) await rm(path, { force: true });
  }
}
