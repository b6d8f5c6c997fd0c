import { RejectedError, UnavailableError } from '../domain/errors.ts';
import type { Judgement } from '../domain/judging/judge.ts';
import { judgeBody } from '../domain/judging/judge-request.ts';
import { readJudgement } from '../domain/judging/read-judgement.ts';
import { forEachBounded } from './for-each-bounded.ts';
import type { AnswerToJudge, Judge, Judging } from './judge.ts';
import { pause } from './pause.ts';
import type { ChatModel } from './ports/chat-model.ts';
import { isAboutTheProvider } from './say-hello.ts';

export interface ChatJudgeSettings {
  /** Answers in flight at a time. */
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly backoffMs: number;
}

/** Attempts at one answer; an outage that lasts longer ends the activity, which comes back for what is missing. */
const attempts = 3;

/** Asks the judge about each answer, at its provider's chat endpoint. */
export function judgeByChat(chatModel: ChatModel, settings: ChatJudgeSettings): Judge {
  return (judging, answers) =>
    forEachBounded(answers, settings.concurrency, judging.signal, async (answer, signal) => {
      const judgement = await judgeOne({ ...judging, chatModel, settings, signal }, answer);
      await judging.store(answer.itemId, judgement);
    });
}

interface Asking extends Pick<Judging, 'judge' | 'signal'> {
  readonly chatModel: ChatModel;
  readonly settings: ChatJudgeSettings;
}

/** Throws what is about the provider rather than about this answer. */
async function judgeOne(asking: Asking, answer: AnswerToJudge): Promise<Judgement> {
  try {
    return await ask(asking, answer, 'schema');
  } catch (error) {
    if (!(error instanceof RejectedError) || isAboutTheProvider(error)) throw error;
  }
  // Some servers refuse structured output as such; the words ask for the same form.
  try {
    return await ask(asking, answer, 'words');
  } catch (error) {
    if (!(error instanceof RejectedError) || isAboutTheProvider(error)) throw error;
    return { score: null, failure: 'provider_error', reason: error.message };
  }
}

async function ask(
  { chatModel, judge, signal, settings: { timeoutMs, backoffMs } }: Asking,
  judged: AnswerToJudge,
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
