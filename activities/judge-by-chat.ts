import type { Example } from '../domain/datasets/dataset.ts';
import { RejectedError, UnavailableError } from '../domain/errors.ts';
import { readAnswer } from '../domain/experiments/read-answer.ts';
import type { Judgement, JudgeSettings } from '../domain/judging/judge.ts';
import { judgeBody } from '../domain/judging/judge-request.ts';
import { readJudgement } from '../domain/judging/read-judgement.ts';
import { pause } from './pause.ts';
import type { ChatModel } from './ports/chat-model.ts';
import type { EvaluationItem } from './ports/experiment-lineage.ts';
import { isAboutTheProvider } from './say-hello.ts';

export interface Judging {
  readonly chatModel: ChatModel;
  readonly judge: JudgeSettings;
  readonly timeoutMs: number;
  readonly backoffMs: number;
  readonly signal: AbortSignal;
}

/** Attempts at one item; an outage that lasts longer ends the activity, which comes back for what is missing. */
const attempts = 3;

/** Asks the judge about one answer. Throws what is about the provider rather than about this item. */
export async function judgeItem(
  judging: Judging,
  example: Example,
  item: EvaluationItem,
): Promise<Judgement> {
  const read = item.response === null ? null : readAnswer(item.response);
  // No answer is the worst answer; there is nothing to ask about it.
  if (item.failure !== null || !read?.ok)
    return { score: 0, reason: `No usable answer: ${item.failure ?? 'unparsable'}.`, failure: null };
  const judged = { example, answer: read.answer };
  try {
    return await ask(judging, judged, 'schema');
  } catch (error) {
    if (!(error instanceof RejectedError) || isAboutTheProvider(error)) throw error;
  }
  // Some servers refuse structured output as such; the words ask for the same form.
  try {
    return await ask(judging, judged, 'words');
  } catch (error) {
    if (!(error instanceof RejectedError) || isAboutTheProvider(error)) throw error;
    return { score: null, failure: 'provider_error', reason: error.message };
  }
}

async function ask(
  { chatModel, judge, timeoutMs, backoffMs, signal }: Judging,
  judged: Parameters<typeof judgeBody>[0],
  form: 'schema' | 'words',
): Promise<Judgement> {
  const body = judgeBody(judged, judge.rubric, form);
  for (let attempt = 1; ; attempt++) {
    try {
      const { response } = await chatModel.complete({ model: judge.model, body, timeoutMs, signal });
      return readJudgement(response);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UnavailableError)) throw error;
      if (attempt === attempts) {
        // Time is what this item took; anything else is an outage, and waited out by Temporal.
        if (error.kind !== 'timeout') throw error;
        return { score: null, failure: 'timeout', reason: error.message };
      }
      await pause(Math.max(error.retryAfterMs ?? 0, backoffMs * 2 ** (attempt - 1)), signal);
    }
  }
}
