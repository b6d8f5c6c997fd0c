import { log } from '@temporalio/activity';
import type { Example } from '../domain/datasets/dataset.ts';
import { InvalidInputError } from '../domain/errors.ts';
import { chatBody } from '../domain/experiments/chat-body.ts';
import type { Candidate, ServingSpec } from '../domain/experiments/experiment.ts';
import { selectFewShot } from '../domain/experiments/few-shot.ts';
import { keepAlive } from './keep-alive.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { ChatModel, ChatModels } from './ports/chat-model.ts';
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
}

/**
 * Chooses the few-shot examples of a candidate and stores their text.
 *
 * They come from the train split alone, and as many are taken as leave room, by the candidate's own tokenizer,
 * for the longest prompt seen in training and an answer. Repeating it gives the same text, hence the same uri.
 */
export function createPrepareFewShot({ artifacts, lineage, chatModels }: FewShotPorts) {
  async function prepareFewShot(
    input: PrepareFewShotInput,
  ): Promise<{ serving: ServingSpec; examples: number }> {
    const { candidate } = input;
    const { files } = await lineage.datasets.get(input.datasetId);
    return keepAlive(
      () => ({ choosing: candidate.icl.maxExamples }),
      async () => {
        const examples = await readExamples(artifacts, files.trainExamples.uri);
        const chosen = await selectFewShot(examples, {
          maxExamples: candidate.icl.maxExamples,
          seed: input.seed,
          fits: fitting(chatModels(candidate.provider), candidate, longest(examples)),
        });
        if (chosen.text === null) {
          throw new InvalidInputError(
            `No few-shot example fits into the context of ${candidate.name} beside the longest prompt of the ` +
              'training data and an answer. Remove `icl` from its strategies, or choose a model with a longer context.',
          );
        }
        const { uri } = await artifacts.putText(chosen.text);
        const { provider, model, maxTokens } = candidate;
        return {
          serving: { provider, model, fewShotUri: uri, maxTokens },
          examples: chosen.recordIds.length,
        };
      },
    );
  }
  return { prepareFewShot };
}

/** Whether the text leaves room beside the longest prompt, asked of the model's own tokenizer. */
function fitting(chatModel: ChatModel, candidate: Candidate, longestExample: Example | undefined) {
  return async (text: string): Promise<boolean> => {
    if (longestExample === undefined) return false;
    const body = chatBody(longestExample, { fewShot: text, maxTokens: candidate.maxTokens });
    const tokens = await chatModel.countTokens(candidate.model, body);
    if (tokens === null) {
      // Nothing to go by. What does not fit is then counted as `too_long` by the evaluation, in the open.
      log.info('The provider cannot count tokens; few-shot examples are not fitted', {
        model: candidate.model,
      });
      return true;
    }
    // Servers refuse a prompt that would leave less than the longest answer asked for.
    const answer = Math.max(candidate.icl.reservedTokens, candidate.maxTokens);
    return tokens.count + answer <= tokens.contextLength;
  };
}

/** By characters, which orders prompts of one workload nearly as tokens would, at no request per example. */
function longest(examples: readonly Example[]): Example | undefined {
  const sized = examples.map((example) => ({
    example,
    size: JSON.stringify([example.messages, example.tools]).length,
  }));
  return sized.reduce(
    (most, one) => (one.size > most.size ? one : most),
    sized[0] ?? { example: undefined, size: 0 },
  ).example;
}
