import { describe, expect, it } from 'vitest';
import { type Embedder, isTooLong } from '../../activities/ports/embedder.ts';
import { cosine } from '../../domain/experiments/similar-examples.ts';

export interface EmbedderSetup {
  readonly embedder: Embedder;
  /** A model that it serves. */
  readonly model: string;
}

const timeoutMs = 60_000;

/** What every embedder does. */
export function describeEmbedder(name: string, setup: () => Promise<EmbedderSetup>): void {
  describe(`${name} as an embedder`, () => {
    it('gives one vector per text, all of one length', async () => {
      const { embedder, model } = await setup();

      const vectors = await embedder.embed({ model, texts: ['when is payday', 'hi', 'über 🙂'], timeoutMs });

      expect(vectors).toHaveLength(3);
      expect(new Set(vectors.map((vector) => vector.length)).size).toBe(1);
      expect(vectors.flat().every(Number.isFinite)).toBe(true);
    });

    it('gives them in the order of the texts, and the same text the same vector in whatever company', async () => {
      const { embedder, model } = await setup();
      const texts = Array.from({ length: 40 }, (_, n) => `question ${n} ${'about the order '.repeat(n % 7)}`);

      const together = await embedder.embed({ model, texts, timeoutMs });
      const backwards = await embedder.embed({ model, texts: [...texts].reverse(), timeoutMs });
      const alone = await Promise.all(
        [texts[3] ?? '', texts[31] ?? ''].map((text) => embedder.embed({ model, texts: [text], timeoutMs })),
      );

      // A batch is padded and summed in another order, so to a few digits.
      for (const [at, vector] of together.entries())
        expect(cosine(vector, backwards[texts.length - 1 - at] ?? [])).toBeCloseTo(1, 4);
      expect(cosine(alone[0]?.[0] ?? [], together[3] ?? [])).toBeCloseTo(1, 4);
      expect(cosine(alone[1]?.[0] ?? [], together[31] ?? [])).toBeCloseTo(1, 4);
    });

    it('finds a text more like its rewording than like another one', async () => {
      const { embedder, model } = await setup();
      const texts = [
        'where is my order 12345',
        'where is my order 67890',
        'tell me a joke about cats and the weather in spring',
      ];

      const [one = [], alike = [], other = []] = await embedder.embed({ model, texts, timeoutMs });

      expect(cosine(one, alike)).toBeGreaterThan(cosine(one, other));
    });

    it('refuses a text that is too long for it, by code, and never cuts it', async () => {
      const { embedder, model } = await setup();
      const texts = ['hi', 'one two three four five six seven eight '.repeat(2_000)];

      const error = await embedder.embed({ model, texts, timeoutMs }).catch((thrown: unknown) => thrown);

      expect(error).toMatchObject({ name: 'RejectedError', code: 'context_length_exceeded' });
      expect(isTooLong(error)).toBe(true);
    });

    it('refuses a model that it does not serve, by code', async () => {
      const { embedder } = await setup();

      const embedding = embedder.embed({ model: 'no-such-model', texts: ['hi'], timeoutMs });

      await expect(embedding).rejects.toMatchObject({ name: 'RejectedError', code: 'model_not_found' });
    });

    it('gives up when the time is over', async () => {
      const { embedder, model } = await setup();

      const embedding = embedder.embed({ model, texts: ['hi'], timeoutMs: 1 });

      await expect(embedding).rejects.toMatchObject({ name: 'UnavailableError', kind: 'timeout' });
    });

    it('stops when its caller does, with the caller’s reason', async () => {
      const { embedder, model } = await setup();
      const reason = new Error('the run was cancelled');

      const embedding = embedder.embed({
        model,
        texts: ['hi'],
        timeoutMs,
        signal: AbortSignal.abort(reason),
      });

      await expect(embedding).rejects.toBe(reason);
    });
  });
}
