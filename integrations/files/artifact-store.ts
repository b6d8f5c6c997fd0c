import type { ArtifactStore } from '../../activities/ports/artifact-store.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { toArtifactError } from './errors.ts';
import { readPieces, splitLines } from './read.ts';
import { clearAbandoned, storeText } from './write.ts';

/** Artifacts in a folder, named after their sha256. The folder is made on first use, for its owner only. */
export function createFileArtifactStore(folder: string): ArtifactStore {
  let cleared: Promise<void> | null = null;
  const put = async (texts: AsyncIterable<string> | Iterable<string>, rowsOf: (text: string) => number) => {
    try {
      await (cleared ??= clearAbandoned(folder));
      return await storeText(folder, texts, rowsOf);
    } catch (error) {
      throw toArtifactError(error, '(being stored)');
    }
  };
  return {
    putLines: (lines) => put(ended(lines), () => 1),
    putText: (text) => put([text], countLines),
    readLines: (uri) => translated(splitLines(readPieces(folder, uri)), uri),
    async readText(uri) {
      let text = '';
      for await (const piece of translated(readPieces(folder, uri), uri)) text += piece;
      return text;
    },
  };
}

async function* ended(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  for await (const line of lines) {
    if (line.includes('\n')) throw new InvalidInputError('A line of an artifact cannot hold a line break.');
    yield `${line}\n`;
  }
}

function countLines(text: string): number {
  if (text === '') return 0;
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

async function* translated(pieces: AsyncIterable<string>, uri: string): AsyncGenerator<string> {
  try {
    yield* pieces;
  } catch (error) {
    throw toArtifactError(error, uri);
  }
}
