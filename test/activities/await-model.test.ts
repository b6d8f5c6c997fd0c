import { CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { createAwaitModel } from '../../activities/await-model.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';

const serving = { provider: 'local', model: 'ft:nano-1m:flywheel:hr:1', fewShotUri: null, maxTokens: 64 };

type Hello = () => Promise<{ response: JsonObject; latencyMs: number }>;
const answered: Hello = async () => ({ response: {}, latencyMs: 1 });

const unused = async () => expect.fail('a provider that serves by itself deploys nothing');
const noLineage = {
  deployments: {
    ...{ hold: unused, begin: unused, recordDeployment: unused, list: unused },
    ...{ claimUnused: unused, renewClaim: unused, unclaim: unused, forget: unused },
  },
  experiments: { baseModelOf: unused },
};

function setup(isServed: (look: number) => boolean, patienceMs = 60_000, hello = answered) {
  let looks = 0;
  const chatModel = {
    complete: hello,
    countTokens: async () => null,
    isServed: async () => isServed(++looks),
  };
  const { awaitModel } = createAwaitModel(
    { chatModels: () => chatModel, deployers: () => null, lineage: noLineage },
    {
      ...{ pollMs: 1, patienceMs, deployedPatienceMs: patienceMs, loadMs: 1_000 },
      deployment: { pollMs: 1, patienceMs },
    },
  );
  return (environment = anAttempt()) => runIn(environment, awaitModel, { serving, holder: 'run:1' });
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

test('a model that is listed has to answer once, which loads it', async () => {
  let asked = 0;
  const wait = setup(
    () => true,
    60_000,
    async () => {
      asked += 1;
      throw new UnavailableError('still loading', { kind: 'timeout' });
    },
  );

  await expect(wait()).rejects.toMatchObject({ name: 'UnavailableError', kind: 'timeout' });
  expect(asked).toBe(1);
});

test('a refusal of the first small question is an answer', async () => {
  const wait = setup(
    () => true,
    60_000,
    () => Promise.reject(new RejectedError('at least 16 tokens, please', { code: 'invalid_value' })),
  );

  await expect(wait()).resolves.toBeUndefined();
});
