import { log } from '@temporalio/activity';
import type { Example } from '../domain/datasets/dataset.ts';
import { chatBody } from '../domain/experiments/chat-body.ts';
import type { Candidate } from '../domain/experiments/experiment.ts';
import type { ChatModel } from './ports/chat-model.ts';

/** Whether a few-shot text leaves room for every prompt and its answer. */
export type Fits = (text: string) => Promise<boolean>;

/**
 * Fewer than any tokenizer in use makes of plain English (about 4), so that the estimate errs on the safe side.
 * Languages that it knows little of take more tokens.
 */
const charactersPerToken = 3;

/**
 * Whether the text leaves room beside the longest prompt: asked of the model's own tokenizer, or, where the
 * provider cannot count, estimated against the context that `candidates.yaml` gives.
 */
export function fitting(chatModel: ChatModel, candidate: Candidate, examples: readonly Example[]): Fits {
  const longestExample = longest(examples);
  return async (text) => {
    if (longestExample === undefined) return false;
    const body = chatBody(longestExample, { fewShot: text, maxTokens: candidate.maxTokens });
    const tokens = await chatModel.countTokens(candidate.model, body);
    if (tokens === null && candidate.context === undefined) {
      // Nothing to go by. What does not fit is then counted as `too_long` by the evaluation, in the open.
      log.info('The provider cannot count tokens; few-shot examples are not fitted', {
        model: candidate.model,
      });
      return true;
    }
    // Servers refuse a prompt that would leave less than the longest answer asked for.
    const answer = Math.max(candidate.icl.reservedTokens, candidate.maxTokens);
    const prompt = tokens?.count ?? Math.ceil(JSON.stringify(body).length / charactersPerToken);
    return prompt + answer <= Math.min(tokens?.contextLength ?? Infinity, candidate.context ?? Infinity);
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
