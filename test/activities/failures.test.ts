import {
  ApplicationFailure,
  CancelledFailure,
  defaultFailureConverter,
  defaultPayloadConverter,
} from '@temporalio/common';
import { expect, test } from 'vitest';
import { toApplicationFailure, withFailures } from '../../activities/failures.ts';
import {
  ConflictError,
  InvalidInputError,
  NotEnoughRecordsError,
  NotFoundError,
  RejectedError,
  UnavailableError,
} from '../../domain/errors.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';

/** As the workflow gets it: through the wire form. */
function delivered(error: unknown): ApplicationFailure {
  const failure = toApplicationFailure(error);
  const wire = defaultFailureConverter.errorToFailure(failure, defaultPayloadConverter);
  const received = defaultFailureConverter.failureToError(wire, defaultPayloadConverter);
  if (!(received instanceof ApplicationFailure))
    throw new Error('not an ApplicationFailure', { cause: received });
  return received;
}

test.each([
  [new InvalidInputError('bad'), 'InvalidInputError', true],
  [new NotFoundError('gone'), 'NotFoundError', true],
  [new ConflictError('stale'), 'ConflictError', true],
  [new NotEnoughRecordsError('few'), 'NotEnoughRecordsError', true],
  [new RejectedError('no'), 'RejectedError', true],
  [new UnavailableError('later'), 'UnavailableError', false],
  [new Error('surprise'), 'UnexpectedError', false],
  [new TypeError('fetch failed'), 'UnexpectedError', false],
  ['a thrown string', 'UnexpectedError', false],
])('%s reaches the workflow as %s, nonRetryable %s', (error, type, nonRetryable) => {
  const failure = delivered(error);

  expect(failure).toMatchObject({ type, nonRetryable });
});

test('what the other side asked us to wait is the delay of the next attempt', () => {
  const failure = toApplicationFailure(new UnavailableError('busy', { kind: 'busy', retryAfterMs: 7_000 }));

  expect(failure).toMatchObject({ nextRetryDelay: 7_000 });
});

test('a refusal’s code travels with it', () => {
  const failure = delivered(new RejectedError('too long', { code: 'context_length_exceeded' }));

  expect(failure.details).toEqual([{ code: 'context_length_exceeded' }]);
});

test.each([
  ['a cancellation', new CancelledFailure('CANCELLED')],
  ['a failure that is Temporal’s already', ApplicationFailure.nonRetryable('done', 'Custom')],
])('%s passes through as it is', (_, error) => {
  expect(toApplicationFailure(error)).toBe(error);
});

test('neither credentials nor query parameters get into a history', () => {
  const driver = new Error('password=hunter22 refused for postgres://flywheel:s3cret@db/flywheel');
  const query = new Error('Failed query: insert into items values ($1)\nparams: Jane Doe, +1 555', {
    cause: driver,
  });

  const failure = delivered(query);

  const everything = JSON.stringify([failure.message, failure.stack, failure.cause ?? null]);
  expect(everything).toContain('Failed query: insert into items');
  expect(everything).not.toMatch(/hunter22|s3cret|Jane Doe/);
});

test('the frames of an unknown error are kept for the one who mends it', () => {
  const failure = delivered(new Error('surprise'));

  expect(failure.stack).toContain('failures.test.ts');
});

test('wrapped activities answer as before and fail as failures', async () => {
  const activities = withFailures({
    double: async (n: number) => n * 2,
    refuse: async () => Promise.reject(new RejectedError('no')),
  });

  await expect(runIn(anAttempt(), activities.double, 21)).resolves.toBe(42);
  await expect(runIn(anAttempt(), activities.refuse)).rejects.toBeInstanceOf(ApplicationFailure);
});
