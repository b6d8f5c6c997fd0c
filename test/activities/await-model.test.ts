import { CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { createAwaitModel } from '../../activities/await-model.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';

const serving = { provider: 'local', model: 'ft:nano-1m:flywheel:hr:1', fewShotUri: null, maxTokens: 64 };

function setup(isServed: (look: number) => boolean, patienceMs = 5_000) {
  let looks = 0;
  const chatModel = {
    complete: () => Promise.reject(new Error('not asked')),
    countTokens: async () => null,
    isServed: async () => isServed(++looks),
  };
  const { awaitModel } = createAwaitModel({ chatModels: () => chatModel }, { pollMs: 1, patienceMs });
  return (environment = anAttempt()) => runIn(environment, awaitModel, { serving });
}

test('it returns once the model is listed', async () => {
  let listed = 0;
  const wait = setup((look) => {
    listed = look;
    return look === 3;
  });

  await wait();

  expect(listed).toBe(3);
});

test('a server that is still starting is waited for', async () => {
  const wait = setup((look) => {
    if (look < 3) throw new UnavailableError('connection refused');
    return true;
  });

  await expect(wait()).resolves.toBeUndefined();
});

test('a model that does not appear says where its name comes from', async () => {
  const wait = setup(() => false, 20);

  await expect(wait()).rejects.toMatchObject({ name: 'NotFoundError', retryable: false });
  await expect(wait()).rejects.toThrow('candidates.yaml');
});

test('a server that does not come up is Temporal’s to wait for', async () => {
  const wait = setup(() => {
    throw new UnavailableError('connection refused');
  }, 20);

  await expect(wait()).rejects.toMatchObject({ name: 'UnavailableError' });
});

test('a refusal is not waited out', async () => {
  const wait = setup(() => {
    throw new RejectedError('the key is wrong', { code: 'unauthorized' });
  });

  await expect(wait()).rejects.toMatchObject({ code: 'unauthorized' });
});

test('a cancellation ends the wait', async () => {
  const environment = anAttempt();
  const wait = setup((look) => {
    if (look === 2) environment.cancel('CANCELLED');
    return false;
  });

  await expect(wait(environment)).rejects.toBeInstanceOf(CancelledFailure);
});
