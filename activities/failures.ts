import { CompleteAsyncError } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { FlywheelError, RejectedError, UnavailableError } from '../domain/errors.ts';
import { withoutSecrets } from '../domain/secrets.ts';

/** The server cuts failures at 4 KiB; a person reads one line. */
const longestMessage = 1000;

/**
 * The single place where an error becomes a Temporal failure.
 *
 * A `FlywheelError` keeps its name as `type`, and its retryability; what the other side asked us to wait
 * becomes the delay of the next attempt; a refusal's `code` is in the details. Cancellation and failures that
 * are Temporal's already pass through.
 *
 * Anything else is unknown: a driver's network error or a bug. It stays retryable, as Temporal's default is:
 * the first passes, the second is mended by a deployment that the run should live to see, and every policy
 * group bounds how long. No cause travels: drivers put query parameters, that is, people's data, into theirs.
 */
export function toApplicationFailure(error: unknown): unknown {
  if (error instanceof TemporalFailure || error instanceof CompleteAsyncError) return error;
  if (error instanceof FlywheelError) return known(error);
  const failure = ApplicationFailure.create({
    message: describe(error),
    type: 'UnexpectedError',
    nonRetryable: false,
  });
  if (error instanceof Error) failure.stack = frames(error);
  return failure;
}

function known(error: FlywheelError): ApplicationFailure {
  const wait = error instanceof UnavailableError ? error.retryAfterMs : undefined;
  const code = error instanceof RejectedError ? error.code : undefined;
  return ApplicationFailure.create({
    message: clean(error.message),
    type: error.name,
    nonRetryable: !error.retryable,
    ...(wait === undefined ? {} : { nextRetryDelay: wait }),
    ...(code === undefined ? {} : { details: [{ code }] }),
  });
}

/** First lines of the error and its causes: the query text without the parameters that follow it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return clean(`Thrown: ${String(error)}`);
  const inner = error.cause instanceof Error ? `: ${describe(error.cause)}` : '';
  return clean(`${error.name}: ${error.message.split('\n')[0] ?? ''}${inner}`);
}

/** Where it happened, for the one who mends it, without the message that heads a stack. */
function frames(error: Error): string {
  const lines = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return ['UnexpectedError', ...lines].join('\n');
}

function clean(message: string): string {
  return withoutSecrets(message).slice(0, longestMessage);
}

type Activities = Record<string, (...args: never[]) => Promise<unknown>>;

/** The same activities, whose errors leave as Temporal failures. */
export function withFailures<T extends Activities>(activities: T): T {
  const wrapped = Object.entries(activities).map(([name, activity]) => [name, wrap(activity)] as const);
  return Object.fromEntries(wrapped) as T;
}

function wrap<A extends never[], R>(activity: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    try {
      return await activity(...args);
    } catch (error) {
      throw toApplicationFailure(error);
    }
  };
}
