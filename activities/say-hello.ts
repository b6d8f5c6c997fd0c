import { activityInfo } from '@temporalio/activity';
import { RejectedError, UnavailableError } from '../domain/errors.ts';
import { servingBody } from '../domain/experiments/chat-body.ts';
import type { ChatModel } from './ports/chat-model.ts';

/** Refusals that every request would get: about the configuration, not about what was asked. */
const aboutTheProvider: ReadonlySet<string> = new Set([
  'unauthorized',
  'not_found',
  'model_not_found',
  'insufficient_quota',
  'billing_hard_limit_reached',
]);

export function isAboutTheProvider(error: unknown): boolean {
  return error instanceof RejectedError && aboutTheProvider.has(error.code ?? '');
}

/** With the policies' growing waits, about five minutes: longer than a server takes to come back. */
const mostFailing = 10;

/**
 * Asks the least that a model can be asked, to see whether it answers at all. Throws the provider's error when
 * it does not, for Temporal to wait and try again; but a server that is there and fails at a mere hello, attempt
 * after attempt, has a broken model and not an outage: `RejectedError`, code `model_failing`.
 *
 * A refusal of so small a question is an answer, unless every question would be refused so.
 */
export async function sayHello(
  chatModel: ChatModel,
  request: { readonly model: string; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const hello = { messages: [{ role: 'user', content: 'Hello' }] };
  const body = servingBody(hello, { fewShot: null, maxTokens: 1 });
  try {
    await chatModel.complete({ ...request, body });
  } catch (error) {
    request.signal.throwIfAborted();
    if (error instanceof RejectedError && !isAboutTheProvider(error)) return;
    const isFailing = error instanceof UnavailableError && error.kind === 'failing';
    if (!isFailing || activityInfo().attempt < mostFailing) throw error;
    throw new RejectedError(`${request.model} fails whatever it is asked. ${error.message}`, {
      code: 'model_failing',
    });
  }
}
