import type { ArtifactStore } from '../activities/ports/artifact-store.ts';
import { type Embedders, isTooLong } from '../activities/ports/embedder.ts';
import type { FewShots } from '../activities/ports/few-shots.ts';
import { RejectedError } from '../domain/errors.ts';
import type { ServingSpec } from '../domain/experiments/experiment.ts';
import { joinFewShot } from '../domain/experiments/few-shot.ts';
import { readIndex } from '../domain/experiments/few-shot-index.ts';
import { questionOf } from '../domain/experiments/question.ts';
import { type IndexedExample, selectSimilar } from '../domain/experiments/similar-examples.ts';
import type { Json } from '../domain/json.ts';

/** One short text; a model that loads on its first call may take this long on two CPU cores. */
const embedTimeoutMs = 45_000;
/** Of each kind; an index of 2,000 examples is tens of megabytes. */
const mostRemembered = 8;

/** Few-shot texts as the evaluator and the gateway put them into requests. */
export function openFewShots(artifacts: Pick<ArtifactStore, 'readText'>, embedders: Embedders): FewShots {
  const readText = remembered((uri) => artifacts.readText(uri));
  const readExamples = remembered(async (uri) => readIndex(await artifacts.readText(uri)));
  return {
    async textFor(serving, messages, signal) {
      const { fewShotUri, similarity } = serving;
      if (fewShotUri === null) return null;
      if (!similarity) return readText(fewShotUri);
      const index = await readExamples(fewShotUri);
      const chosen = await choose(similarity, index, messages, signal);
      return joinFewShot(chosen.map(({ text }) => text));
    },
  };

  async function choose(
    similarity: NonNullable<ServingSpec['similarity']>,
    index: readonly IndexedExample[],
    messages: readonly Json[],
    signal?: AbortSignal,
  ): Promise<readonly IndexedExample[]> {
    const question = questionOf(messages);
    // Nothing to compare with: the index begins with the examples of a uniform choice.
    if (question === '') return index.slice(0, similarity.maxExamples);
    const embedding = await embedded(question, similarity, signal);
    if (embedding === null) return index.slice(0, similarity.maxExamples);
    assertSameSpace(embedding, index, similarity.model);
    return selectSimilar(embedding, index, similarity);
  }

  /** null for a question that is too long for the embedder, though the model may well take it. */
  async function embedded(
    question: string,
    { provider, model }: NonNullable<ServingSpec['similarity']>,
    signal?: AbortSignal,
  ): Promise<readonly number[] | null> {
    try {
      const [embedding = []] = await embedders(provider).embed({
        ...{ model, texts: [question], timeoutMs: embedTimeoutMs },
        ...(signal ? { signal } : {}),
      });
      return embedding;
    } catch (error) {
      if (isTooLong(error)) return null;
      throw error;
    }
  }
}

/** Vectors of another length come from another model than the one that made the index: likeness means nothing. */
function assertSameSpace(query: readonly number[], [first]: readonly IndexedExample[], model: string): void {
  const wanted = first?.embedding.length ?? query.length;
  if (query.length === wanted) return;
  throw new RejectedError(
    `${model} embeds in ${query.length} dimensions now, and in ${wanted} when the few-shot index was made. Run the workload again, or roll back.`,
  );
}

/**
 * Artifacts never change, so each is read once, for all who ask meanwhile too, until others were asked for since.
 * Failed reads are tried again.
 */
function remembered<T>(read: (uri: string) => Promise<T>): (uri: string) => Promise<T> {
  // In the order of their last use.
  const known = new Map<string, Promise<T>>();
  return (uri) => {
    const value = known.get(uri) ?? read(uri);
    known.delete(uri);
    known.set(uri, value);
    value.catch(() => known.get(uri) === value && known.delete(uri));
    for (const oldest of known.keys()) {
      if (known.size <= mostRemembered) break;
      known.delete(oldest);
    }
    return value;
  };
}
