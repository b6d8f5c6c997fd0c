import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ArtifactStore } from '../../activities/ports/artifact-store.ts';

/** What every artifact store does. `setup` makes an empty one. */
export function describeArtifactStore(name: string, setup: () => Promise<ArtifactStore>): void {
  describe(`${name} as an artifact store`, () => {
    let store: ArtifactStore;
    beforeEach(async () => {
      store = await setup();
    });

    it('names lines by the hash of their bytes and counts them', async () => {
      const ref = await store.putLines(['{"a":1}', '{"b":"ü"}']);

      const bytes = Buffer.from('{"a":1}\n{"b":"ü"}\n');
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect(ref).toEqual({ uri: `artifact:sha256/${sha256}`, sha256, bytes: bytes.length, rows: 2 });
    });

    it('gives back lines as they came, from any source', async () => {
      const lines = [
        'plain',
        '',
        'carriage\rreturn',
        'separator\u2028inside\u2029',
        '🙂'.repeat(9),
        '\ufeffmark',
      ];

      const fromArray = await store.putLines(lines);
      const fromStream = await store.putLines(streamOf(lines));

      expect(fromStream).toEqual(fromArray);
      expect(await collect(store.readLines(fromArray.uri))).toEqual(lines);
    });

    it('holds more than fits one buffer', async () => {
      const lines = Array.from({ length: 30_000 }, (_, i) =>
        JSON.stringify({ i, text: `räksmörgås 🙂 ${i}` }),
      );

      const { uri, rows } = await store.putLines(lines);

      expect(rows).toBe(30_000);
      expect(await collect(store.readLines(uri))).toEqual(lines);
    });

    it('stores equal content once, even at once', async () => {
      const refs = await Promise.all(Array.from({ length: 5 }, () => store.putLines(['same', 'lines'])));

      expect(new Set(refs.map((ref) => ref.uri)).size).toBe(1);
      expect(await collect(store.readLines(refs[0]?.uri ?? ''))).toEqual(['same', 'lines']);
    });

    it('keeps text without adding anything', async () => {
      const ref = await store.putText('two\nlines, no end');

      expect(ref.rows).toBe(2);
      expect(await store.readText(ref.uri)).toBe('two\nlines, no end');
    });

    it('keeps nothing at all too', async () => {
      const lines = await store.putLines([]);
      const text = await store.putText('');

      expect(lines).toEqual(text);
      expect(lines).toMatchObject({ bytes: 0, rows: 0 });
      expect(await collect(store.readLines(lines.uri))).toEqual([]);
      expect(await store.readText(text.uri)).toBe('');
    });

    it('refuses a line with a line break, and stores nothing', async () => {
      await expect(store.putLines(['fine', 'bro\nken'])).rejects.toMatchObject({ name: 'InvalidInputError' });
    });

    it('stores nothing when its source fails', async () => {
      const whole = createHash('sha256').update('one\n').digest('hex');

      await expect(store.putLines(failingAfter('one'))).rejects.toThrow('the source failed');

      await expect(store.readText(`artifact:sha256/${whole}`)).rejects.toMatchObject({
        name: 'NotFoundError',
      });
    });

    it('says what it does not have', async () => {
      const unknown = `artifact:sha256/${'0'.repeat(64)}`;

      await expect(store.readText(unknown)).rejects.toMatchObject({ name: 'NotFoundError' });
      await expect(collect(store.readLines(unknown))).rejects.toMatchObject({ name: 'NotFoundError' });
    });

    it.each(['', 'artifact:sha256/../../etc/passwd', 'file:///etc/passwd', `artifact:md5/${'0'.repeat(64)}`])(
      'takes no other address than its own: %j',
      async (uri) => {
        await expect(store.readText(uri)).rejects.toMatchObject({ name: 'NotFoundError' });
      },
    );
  });
}

async function* streamOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

async function* failingAfter(line: string): AsyncGenerator<string> {
  yield line;
  throw new Error('the source failed');
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
