import { expect, onTestFinished, test } from 'vitest';
import { createEmbedder } from '../../../integrations/openai/embedder.ts';
import { respond, startHttpServer } from '../../support/http-server.ts';

/** What no well-behaved server answers; what one does is in `test/contracts/embedder.contract.ts`. */
async function embeddingsOf(data: unknown): Promise<readonly (readonly number[])[]> {
  const server = await startHttpServer((request, response) => {
    request.resume();
    request.on('end', () => respond(response, 200, { object: 'list', model: 'e', data }));
  });
  onTestFinished(() => server.close());
  const embedder = createEmbedder({ name: 'odd', baseUrl: `${server.url}/v1`, apiKey: null });
  return embedder.embed({ model: 'e', texts: ['a', 'b'], timeoutMs: 10_000 });
}

test('vectors are put in the order of their texts, whatever order they came in', async () => {
  const vectors = await embeddingsOf([
    { index: 1, embedding: [3, 4] },
    { index: 0, embedding: [1, 2] },
  ]);

  expect(vectors).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test('another number of vectors than texts is refused', async () => {
  const embedding = embeddingsOf([{ index: 0, embedding: [1, 2] }]);

  await expect(embedding).rejects.toMatchObject({ name: 'RejectedError' });
  await expect(embedding).rejects.toThrow('gave 1 embeddings of length 2 for 2 texts');
});

test('vectors of unequal lengths are refused: likeness would mean nothing', async () => {
  const embedding = embeddingsOf([
    { index: 0, embedding: [1, 2] },
    { index: 1, embedding: [3] },
  ]);

  await expect(embedding).rejects.toThrow('gave 2 embeddings of length 2, 1 for 2 texts');
});

test('a reply that cannot be read is an outage, as for any call', async () => {
  const embedding = embeddingsOf([{ index: 0, embedding: 'AACAPw==' }]);

  await expect(embedding).rejects.toMatchObject({ name: 'UnavailableError' });
});
