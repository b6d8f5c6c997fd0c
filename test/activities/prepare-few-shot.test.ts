import { expect, test } from 'vitest';
import type { Embedder } from '../../activities/ports/embedder.ts';
import { createPrepareFewShot, type PrepareFewShotInput } from '../../activities/prepare-few-shot.ts';
import type { Example } from '../../domain/datasets/dataset.ts';
import { RejectedError } from '../../domain/errors.ts';
import { readIndex } from '../../domain/experiments/few-shot-index.ts';
import type { JsonObject } from '../../domain/json.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { aCandidate, aDataset, anExample } from '../support/experiments.ts';
import { inMemoryArtifacts } from '../support/in-memory-artifacts.ts';
import { inMemoryDatasets } from '../support/in-memory-lineage.ts';

const input: PrepareFewShotInput = {
  experimentId: 'run-1/nano/icl',
  candidate: aCandidate(),
  datasetId: 'data-1',
  seed: 1,
};

/** A tokenizer of one token per character, and a context that holds so many. */
async function setup(
  contextLength: number | null,
  examples: readonly Example[] = sixOfThreeClasses(),
  embed: Embedder['embed'] = async ({ texts }) => texts.map((text) => [text.length, 1]),
) {
  const artifacts = inMemoryArtifacts();
  const trainExamples = await artifacts.putLines(examples.map((example) => JSON.stringify(example)));
  const counted: JsonObject[] = [];
  const chatModel = {
    complete: () => Promise.reject(new Error('not asked')),
    isServed: async () => true,
    async countTokens(_: string, body: JsonObject) {
      counted.push(body);
      return contextLength === null
        ? null
        : { count: JSON.stringify(body['messages']).length, contextLength };
    },
  };
  const { prepareFewShot } = createPrepareFewShot({
    artifacts,
    lineage: { datasets: inMemoryDatasets(aDataset({ files: { trainExamples } })) },
    chatModels: () => chatModel,
    embedders: () => ({ embed }),
  });
  const prepare = (of = input) => runIn(anAttempt(), prepareFewShot, of);
  return { prepare, artifacts, counted };
}

function sixOfThreeClasses(): Example[] {
  const labels = ['pto_balance', 'payday', 'no_tool'];
  return Array.from({ length: 6 }, (_, n) => anExample(n, { label: labels[n % 3] ?? 'plain' }));
}

test('the prompt holds as many examples as asked for, and is stored for the route', async () => {
  const { prepare, artifacts } = await setup(100_000);

  const { serving, examples } = await prepare();

  const text = await artifacts.readText(serving.fewShotUri ?? '');
  expect(examples).toBe(3);
  expect(text.match(/^User: /gm)).toHaveLength(3);
  expect(serving).toMatchObject({ provider: 'local', model: 'nano-1m', maxTokens: 64 });
});

test('repeated it gives the same uri', async () => {
  const { prepare } = await setup(100_000);

  const [first, second] = [await prepare(), await prepare()];

  expect(second).toEqual(first);
});

test('fewer examples are taken where the context is small', async () => {
  const { prepare } = await setup(400);

  const { examples } = await prepare();

  expect(examples).toBeGreaterThan(0);
  expect(examples).toBeLessThan(3);
});

test('room is kept for the longest prompt of the training data', async () => {
  const long = anExample(99, { messages: [{ role: 'user', content: `long ${'x'.repeat(500)}` }] });
  const { prepare, counted } = await setup(100_000, [...sixOfThreeClasses(), long]);

  await prepare();

  expect(counted.length).toBeGreaterThan(0);
  expect(counted.every((body) => JSON.stringify(body).includes('x'.repeat(500)))).toBe(true);
});

test('a context without room for a single example fails the experiment and says what to do', async () => {
  const { prepare } = await setup(120);

  await expect(prepare()).rejects.toMatchObject({ name: 'InvalidInputError', retryable: false });
  await expect(prepare()).rejects.toThrow('Remove `icl`');
});

test('without a tokenizer to ask, all are taken', async () => {
  const { prepare } = await setup(null);

  await expect(prepare()).resolves.toMatchObject({ examples: 3 });
});

test('without a tokenizer to ask, a context that the file gives is filled by an estimate', async () => {
  const { prepare } = await setup(null);
  const within = (context: number) => prepare({ ...input, candidate: aCandidate({ context }) });

  await expect(within(100_000)).resolves.toMatchObject({ examples: 3 });
  const { examples } = await within(220);
  expect(examples).toBeGreaterThan(0);
  expect(examples).toBeLessThan(3);
  await expect(within(80)).rejects.toThrow('Remove `icl`');
});

test('the narrower holds, of what the file says and what the server says', async () => {
  const { prepare } = await setup(100_000);

  const { examples } = await prepare({ ...input, candidate: aCandidate({ context: 400 }) });

  expect(examples).toBeLessThan(3);
});

const similarity = { provider: 'other', model: 'embedder', relevanceShare: 0.7 };
const similar: PrepareFewShotInput = {
  ...input,
  candidate: aCandidate({ icl: { maxExamples: 2, reservedTokens: 0, similarity } }),
};

test('with similarity all examples are stored to choose from, with their vectors', async () => {
  const { prepare, artifacts } = await setup(100_000);

  const { serving, examples } = await prepare(similar);

  const index = readIndex(await artifacts.readText(serving.fewShotUri ?? ''));
  expect(examples).toBe(6);
  expect(serving.similarity).toEqual({ ...similarity, maxExamples: 2 });
  expect(new Set(index.map(({ recordId }) => recordId)).size).toBe(6);
  expect(index.every(({ embedding }) => Math.abs(Math.hypot(...embedding) - 1) < 1e-4)).toBe(true);
  // A question without words gets the first ones: one of each class before a second of any.
  expect(new Set(index.slice(0, 3).map(({ label }) => label)).size).toBe(3);
});

test('with similarity, examples too long to fit beside others are left out', async () => {
  const long = anExample(99, { messages: [{ role: 'user', content: 'x'.repeat(400) }] });
  const { prepare, artifacts } = await setup(900, [...sixOfThreeClasses(), long]);

  const { serving } = await prepare(similar);

  const index = readIndex(await artifacts.readText(serving.fewShotUri ?? ''));
  expect(index).toHaveLength(6);
  expect(index.map(({ recordId }) => recordId)).not.toContain(long.recordId);
});

test('with similarity, fewer examples are used where two of no kind fit', async () => {
  const { prepare } = await setup(270);

  const { serving } = await prepare(similar);

  expect(serving.similarity?.maxExamples).toBe(1);
});

test('with similarity, a failed embedding fails the experiment', async () => {
  const { prepare } = await setup(100_000, sixOfThreeClasses(), () =>
    Promise.reject(new RejectedError('The model does not embed.')),
  );

  await expect(prepare(similar)).rejects.toThrow('does not embed');
});

/** Takes texts of at most so many characters. */
function anEmbedderOf(characters: number): { embed: Embedder['embed']; asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    async embed({ texts }) {
      asked.push(texts.length);
      if (texts.every((text) => text.length <= characters)) return texts.map((text) => [text.length, 1]);
      throw new RejectedError(`more than ${characters} tokens`, { code: 'context_length_exceeded' });
    },
  };
}

test('with similarity, examples too long for the embedder are left out', async () => {
  const long = anExample(99, { messages: [{ role: 'user', content: 'x'.repeat(400) }] });
  const { embed, asked } = anEmbedderOf(300);
  const { prepare, artifacts } = await setup(100_000, [...sixOfThreeClasses(), long], embed);

  const { serving, examples } = await prepare(similar);

  const index = readIndex(await artifacts.readText(serving.fewShotUri ?? ''));
  expect(examples).toBe(6);
  expect(index.map(({ recordId }) => recordId)).not.toContain(long.recordId);
  expect(asked).toEqual([7, ...Array(7).fill(1)]);
});

test('with similarity, an embedder that takes no example fails the experiment', async () => {
  const { prepare } = await setup(100_000, sixOfThreeClasses(), anEmbedderOf(3).embed);

  await expect(prepare(similar)).rejects.toThrow('more than 3 tokens');
});
