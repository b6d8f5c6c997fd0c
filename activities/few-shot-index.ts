import { cancellationSignal } from '@temporalio/activity';
import type { Example } from '../domain/datasets/dataset.ts';
import type { Similarity } from '../domain/experiments/experiment.ts';
import { joinFewShot, renderExample, uniformOrder } from '../domain/experiments/few-shot.ts';
import { indexed, writeIndex } from '../domain/experiments/few-shot-index.ts';
import { questionOf } from '../domain/experiments/question.ts';
import type { IndexedExample } from '../domain/experiments/similar-examples.ts';
import { toOpenAiMessage } from '../domain/records/to-openai.ts';
import type { Fits } from './few-shot-fit.ts';
import { type Embedder, isTooLong } from './ports/embedder.ts';

/** Every question is compared with every example, in the gateway too: more than this costs it milliseconds. */
const mostIndexed = 2_000;
/** The blueprint's batch. */
const batchSize = 32;
const batchTimeoutMs = 2 * 60_000;

export interface IndexWish {
  /** The train split. */
  readonly examples: readonly Example[];
  readonly seed: number;
  readonly maxExamples: number;
  readonly similarity: Similarity;
  readonly fits: Fits;
}

export interface FewShotIndex {
  readonly text: string;
  readonly size: number;
  /** So many of the longest of them fit together, so that any choice fits. */
  readonly maxExamples: number;
}

/** The index of examples to choose from, or null when not one fits. A failed embedding is thrown. */
export async function buildIndex(
  embedder: Embedder,
  { examples, seed, maxExamples: most, similarity, fits }: IndexWish,
  onProgress: (done: number) => void,
): Promise<FewShotIndex | null> {
  const asking = uniformOrder(examples, seed)
    .filter((example) => question(example) !== '')
    .slice(0, mostIndexed);
  if (asking.length === 0) return null;
  for (let maxExamples = most; maxExamples > 0; maxExamples -= 1) {
    const usable = await thatFit(asking, maxExamples, fits);
    if (usable.length === 0) continue;
    const index = await embedAll(embedder, similarity.model, usable, onProgress);
    return { text: writeIndex(index), size: index.length, maxExamples };
  }
  return null;
}

/** Leaves out the longest examples until the `count` longest of the others fit together; none if none do. */
async function thatFit(examples: readonly Example[], count: number, fits: Fits): Promise<Example[]> {
  const byLength = examples
    .map((example) => ({ example, text: renderExample(example) }))
    .sort((a, b) => b.text.length - a.text.length);
  const last = Math.max(0, byLength.length - count);
  // The first place in the order of lengths from which on `count` texts fit, by halving.
  let [low, high] = [0, last + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const texts = byLength.slice(middle, middle + count).map(({ text }) => text);
    if (await fits(joinFewShot(texts))) high = middle;
    else low = middle + 1;
  }
  if (low > last) return [];
  const tooLong = new Set(byLength.slice(0, low).map(({ example }) => example));
  return examples.filter((example) => !tooLong.has(example));
}

/** Leaves out those too long for the embedder; where all are, its refusal is thrown. */
async function embedAll(
  embedder: Embedder,
  model: string,
  examples: readonly Example[],
  onProgress: (done: number) => void,
): Promise<IndexedExample[]> {
  const signal = cancellationSignal();
  const index: IndexedExample[] = [];
  let refusal: unknown;
  for (let at = 0; at < examples.length; at += batchSize) await add(examples.slice(at, at + batchSize));
  if (index.length === 0) throw refusal;
  return index;

  async function add(batch: readonly Example[]): Promise<void> {
    try {
      const texts = batch.map(question);
      const vectors = await embedder.embed({ model, texts, timeoutMs: batchTimeoutMs, signal });
      for (const [place, example] of batch.entries()) index.push(indexed(example, vectors[place] ?? []));
      onProgress(index.length);
    } catch (error) {
      if (!isTooLong(error)) throw error;
      refusal = error;
      // One text of a batch is enough for it to be refused.
      if (batch.length > 1) for (const example of batch) await add([example]);
    }
  }
}

function question(example: Example): string {
  return questionOf(example.messages.map(toOpenAiMessage));
}
