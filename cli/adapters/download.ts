import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdapterFile, AdapterFiles } from '../../activities/ports/adapter-files.ts';
import { UnavailableError } from '../../domain/errors.ts';

export interface Download {
  readonly files: AdapterFiles;
  readonly model: string;
  readonly of: 'adapter' | 'base';
  readonly file: AdapterFile;
  readonly signal: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
}

/** Streams a file into the folder; what is not the content that was listed is an error, and is not kept. */
export async function downloadInto(folder: string, download: Download): Promise<void> {
  const { files, model, of, file, signal, onBytes } = download;
  const path = join(folder, file.name);
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of files.read({ model, of, name: file.name, signal })) {
      signal.throwIfAborted();
      hash.update(chunk);
      bytes += chunk.length;
      await handle.appendFile(chunk);
      onBytes?.(bytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (bytes === file.bytes && hash.digest('hex') === file.sha256) return;
  await rm(path, { force: true });
  throw new UnavailableError(
    `${file.name} arrived with ${bytes} bytes that are not the ${file.bytes} listed. It was cut short, or has changed meanwhile.`,
    { kind: 'failing' },
  );
}
