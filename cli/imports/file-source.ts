import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { InvalidInputError } from '../../domain/errors.ts';
import type { ImportSource } from '../../domain/imports/importer.ts';

export interface FileSource {
  readonly source: ImportSource;
  /** Share of the file that was read, in [0, 1]; null for formats that read it whole. */
  share(): number | null;
}

/** Opens a file for an importer, which decides how it is read. */
export async function openFileSource(file: string): Promise<FileSource> {
  const found = await stat(file).catch(() => null);
  if (found === null || !found.isFile()) throw new InvalidInputError(`There is no file ${file}.`);
  let bytesRead: number | null = null;
  const source: ImportSource = {
    name: basename(file),
    async *lines() {
      const stream = createReadStream(file);
      stream.on('data', (chunk) => {
        bytesRead = (bytesRead ?? 0) + chunk.length;
      });
      yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
    },
    text: () => readFile(file, 'utf8').catch(tooLong),
    sibling: (name) => readFile(join(dirname(file), name), 'utf8').catch(() => null),
  };
  return { source, share: () => (bytesRead === null || found.size === 0 ? null : bytesRead / found.size) };
}

/** JavaScript holds about 512 MB in one text. */
function tooLong(error: unknown): never {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STRING_TOO_LONG')) throw error;
  throw new InvalidInputError(
    'The file is one value of more than 512 MB, which is too large to read whole. ' +
      'Split it, or write it as JSON Lines, which stream (jq -c ".[]" file).',
    { cause: error },
  );
}
