import type { Example } from '../domain/datasets/dataset.ts';
import { RejectedError, UnavailableError, type UnavailableKind } from '../domain/errors.ts';
import { chatBody } from '../domain/experiments/chat-body.ts';
import type { ServingSpec } from '../domain/experiments/experiment.ts';
import type { JsonObject } from '../domain/json.ts';
import { toOpenAiMessage } from '../domain/records/to-openai.ts';
import { answeredItem, type Failure, failedItem } from './evaluation-item.ts';
import { pause } from './pause.ts';
import type { ChatModel, ChatReply } from './ports/chat-model.ts';
import type { EvaluationItem } from './ports/experiment-lineage.ts';
import type { FewShots } from './ports/few-shots.ts';
import { isAboutTheProvider, sayHello } from './say-hello.ts';

export interface Asking {
  readonly chatModel: ChatModel;
  readonly serving: ServingSpec;
  readonly fewShots: FewShots;
  readonly timing: AskTiming;
  readonly signal: AbortSignal;
}

export interface AskTiming {
  /** How long one answer may take. */
  readonly itemTimeoutMs: number;
  /** First wait between two attempts; doubles. */
  readonly backoffMs: number;
}

/** What came of a question: a reply, or why the model is to blame that there is none. */
export type Asked =
  | { readonly reply: ChatReply }
  | { readonly reply: null; readonly failure: Failure; readonly detail: string };

/**
 * Attempts at one item before its loss is decided. A time-out has cost its full time already, and is asked
 * once more only because a training may have held the processor. Throttling passes, so it is waited out.
 */
const attempts: Readonly<Record<UnavailableKind, number>> = {
  timeout: 2,
  unreachable: 3,
  failing: 3,
  busy: 10,
};

const longestBackoffMs = 5_000;

/** Longer waits are Temporal's: the activity ends and comes back for the items that are missing. */
const longestWaitMs = 30_000;

/**
 * Asks one item and scores the answer.
 *
 * A failure is a wrong answer, so it must be the model's. An outage of the provider says nothing about the
 * model: what broke on the way is counted only once the provider has proved to be up, by answering something
 * else. Otherwise this throws, and the item is asked again when the activity is retried.
 */
export async function askItem(asking: Asking, example: Example): Promise<EvaluationItem> {
  const { fewShots, serving, signal } = asking;
  const startedMs = performance.now();
  // That the examples cannot be had is no wrong answer of the model: it fails the evaluation, never the item.
  const fewShot = await fewShots.textFor(serving, example.messages.map(toOpenAiMessage), signal);
  // Choosing them is part of what a caller of the route waits for.
  const choosingMs = Math.round(performance.now() - startedMs);
  const asked = await ask(asking, chatBody(example, { fewShot, maxTokens: serving.maxTokens }));
  if (asked.reply === null) return failedItem(example, asked);
  return answeredItem(example, { ...asked.reply, latencyMs: asked.reply.latencyMs + choosingMs });
}

/** Asks, and asks again while that may help. Throws what says nothing about the model. */
export async function ask(asking: Omit<Asking, 'fewShots'>, body: JsonObject): Promise<Asked> {
  const { chatModel, serving, timing, signal } = asking;
  for (let attempt = 1; ; attempt++) {
    try {
      const timeoutMs = timing.itemTimeoutMs;
      return { reply: await chatModel.complete({ model: serving.model, body, timeoutMs, signal }) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RejectedError) return refused(error);
      if (!(error instanceof UnavailableError)) throw error;
      const backoffMs = Math.min(timing.backoffMs * 2 ** (attempt - 1), longestBackoffMs);
      const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs);
      if (attempt >= attempts[error.kind] || waitMs > longestWaitMs) return lost(asking, error);
      await pause(waitMs, signal);
    }
  }
}

/** Refusals of this item become data; those of every item end the evaluation. */
function refused(error: RejectedError): Asked {
  if (isAboutTheProvider(error)) throw error;
  return { reply: null, failure: failureOf(error.code), detail: error.message };
}

function failureOf(code: string | undefined): Failure {
  if (code === 'context_length_exceeded') return 'too_long';
  return code === 'content_filter' ? 'refusal' : 'provider_error';
}

async function lost(asking: Omit<Asking, 'fewShots'>, error: UnavailableError): Promise<Asked> {
  // To be told to wait is never the answer of a model.
  if (error.kind === 'busy') throw error;
  const { chatModel, serving, timing, signal } = asking;
  await sayHello(chatModel, { model: serving.model, timeoutMs: timing.itemTimeoutMs, signal });
  return {
    reply: null,
    failure: error.kind === 'timeout' ? 'timeout' : 'provider_error',
    detail: error.message,
  };
}
