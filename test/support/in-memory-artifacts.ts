import type { ArtifactStore } from '../../activities/ports/artifact-store.ts';
import { NotFoundError } from '../../domain/errors.ts';
import { sha256 } from '../../domain/hash.ts';

/** Content-addressed like the real one. */
export function inMemoryArtifacts(): ArtifactStore {
  const texts = new Map<string, string>();

  async function putText(text: string) {
    const hash = sha256(text);
    const uri = `artifact:sha256/${hash}`;
    texts.set(uri, text);
    return { uri, sha256: hash, bytes: Buffer.byteLength(text), rows: text.split('\n').length - 1 };
  }

  async function readText(uri: string): Promise<string> {
    const text = texts.get(uri);
    if (text === undefined) throw new NotFoundError(`no artifact ${uri}`);
    return text;
  }

  return {
    putText,
    readText,
    async putLines(lines) {
      let text = '';
      for await (const line of lines) text += `${line}\n`;
      return putText(text);
    },
    async *readLines(uri) {
      const lines = (await readText(uri)).split('\n');
      yield* lines.slice(0, -1);
    },
  };
}
