import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { RejectedError } from '../../domain/errors.ts';
import { pathOf, sha256Of } from './paths.ts';

/** The artifact's text in pieces. Its hash is checked on the way: damage is an error before the end. */
export async function* readPieces(folder: string, uri: string): AsyncGenerator<string> {
  const sha256 = sha256Of(uri);
  const hash = createHash('sha256');
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const chunk of createReadStream(pathOf(folder, sha256)) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    yield decoder.decode(chunk, { stream: true });
  }
  if (hash.digest('hex') !== sha256) {
    throw new RejectedError(
      `Artifact ${uri} is damaged: its content no longer matches its name. Delete it and run again.`,
    );
  }
}

/** Only `\n` ends a line: JSON may hold the other separators that line readers stop at, unescaped. */
export async function* splitLines(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
