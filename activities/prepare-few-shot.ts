import type { Example } from '../domain/datasets/dataset.ts';
import { InvalidInputError } from '../domain/errors.ts';
import type { Candidate, ServingSpec } from '../domain/experiments/experiment.ts';
import { selectFewShot } from '../domain/experiments/few-shot.ts';
import { type Fits, fitting } from './few-shot-fit.ts';
import { buildIndex } from './few-shot-index.ts';
import { keepAlive } from './keep-alive.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { ChatModels } from './ports/chat-model.ts';
import type { Embedders } from './ports/embedder.ts';
import type { Lineage } from './ports/lineage.ts';
import { readExamples } from './read-examples.ts';

export interface PrepareFewShotInput {
  readonly experimentId: string;
  readonly candidate: Candidate;
  readonly datasetId: string;
  readonly seed: number;
}

export interface FewShotPorts {
  readonly artifacts: ArtifactStore;
  readonly lineage: { readonly datasets: Pick<Lineage['datasets'], 'get'> };
  readonly chatModels: ChatModels;
  readonly embedders: Embedders;
}

export interface PreparedFewShot {
  readonly serving: ServingSpec;
  /** Chosen for all questions; with similarity, to choose from. */
  readonly examples: number;
}

/**
 * Chooses the few-shot examples of a candidate and stores their text; or, with similarity, stores the index that
 * they are chosen from question by question.
 *
 * They come from the train split alone, and as many are taken as leave room, by the candidate's own tokenizer,
 * for the longest prompt seen in training and an answer. Repeating it gives the same text, hence the same uri.
 */
export function createPrepareFewShot(ports: FewShotPorts) {
  const { artifacts, lineage, chatModels } = ports;

  async function prepareFewShot(input: PrepareFewShotInput): Promise<PreparedFewShot> {
    const { candidate } = input;
    const { files } = await lineage.datasets.get(input.datasetId);
    const progress = { done: 0 };
    return keepAlive(
      () => ({ ...progress }),
      async () => {
        const examples = await readExamples(artifacts, files.trainExamples.uri);
        const fits = fitting(chatModels(candidate.provider), candidate, examples);
        const { provider, model, maxTokens, icl } = candidate;
        if (!icl.similarity) {
          const { uri, count } = await uniform(input, examples, fits);
          return { serving: { provider, model, fewShotUri: uri, maxTokens }, examples: count };
        }
        const index = await buildIndex(
          ports.embedders(icl.similarity.provider),
          { examples, seed: input.seed, maxExamples: icl.maxExamples, similarity: icl.similarity, fits },
          (done) => {
            progress.done = done;
          },
        );
        if (index === null) throw nothingFits(candidate);
        const { uri } = await artifacts.putText(index.text);
        const similarity = { ...icl.similarity, maxExamples: index.maxExamples };
        return {
          serving: { provider, model, fewShotUri: uri, similarity, maxTokens },
          examples: index.size,
        };
      },
    );
  }

  async function uniform({ candidate, seed }: PrepareFewShotInput, examples: readonly Example[], fits: Fits) {
    const { maxExamples } = candidate.icl;
    const { text, recordIds } = await selectFewShot(examples, { maxExamples, seed, fits });
    if (text === null) throw nothingFits(candidate);
    const { uri } = await artifacts.putText(text);
    return { uri, count: recordIds.length };
  }

  return { prepareFewShot };
}

function nothingFits(candidate: Candidate): InvalidInputError {
  return new InvalidInputError(
    `No few-shot example fits into the context of ${candidate.name} beside the longest prompt of the ` +
      'training data and an answer. Remove `icl` from its strategies, or choose a model with a longer context.',
  );
}
