import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type FineTuneRequest, hasEnded, type Trainer } from '../../activities/ports/trainer.ts';
import { flywheelDialect } from '../../config/fine-tuning-dialects.ts';
import { defaultLora } from '../../domain/experiments/defaults.ts';
import { createTrainer as createMicroservicesTrainer } from '../../integrations/nemo-microservices/trainer.ts';
import { createTrainer as createPlatformTrainer } from '../../integrations/nemo-platform/trainer.ts';
import { createTrainer as createModelServerTrainer } from '../../integrations/openai/trainer.ts';
import type { NemoServer } from '../contract-servers/nemo-microservices/server.ts';
import { eventually } from '../support/eventually.ts';
import { inMemoryArtifacts } from '../support/in-memory-artifacts.ts';
import { aWorkspace } from '../support/nemo-platform.ts';
import { trainingRow } from '../support/nemo-platform-adapter.ts';
import { aNemoServer, settingsOf } from '../support/nemo-server.ts';

/**
 * One request through three dialects is one training: the same bytes, though each sends rows and settings in other
 * words. What a dialect rounds, renames or leaves to a default would show here.
 */

const artifacts = inMemoryArtifacts();
const modelServer = inject('modelServerUrl');
const local = createModelServerTrainer(
  {
    ...{ name: 'local', baseUrl: `${modelServer}/v1`, apiKey: null },
    dialect: flywheelDialect,
  },
  artifacts,
);

let nemoV1: NemoServer;
beforeAll(async () => {
  nemoV1 = await aNemoServer();
});
afterAll(() => nemoV1.close());

async function aRequest(overrides: Partial<FineTuneRequest> = {}): Promise<FineTuneRequest> {
  return {
    key: `run-${Math.random().toString(36).slice(2)}`,
    baseModel: 'nano-1m',
    train: await artifacts.putLines(Array.from({ length: 40 }, (_, n) => trainingRow(n))),
    validation: await artifacts.putLines([trainingRow(100), trainingRow(101)]),
    // Cosine is the one decay that all three know. 5 % of 25 steps are 1.25 of them.
    hyperparameters: { ...defaultLora, epochs: 5, batchSize: 8, schedule: 'cosine', rank: 4, alpha: 4 },
    seed: 7,
    suffix: 'same',
    metadata: { run_id: `run-${Math.random().toString(36).slice(2)}` },
    ...overrides,
  };
}

/** sha256 of the weights that a trainer makes of the request. All three train at the model server. */
async function weightsBy(trainer: Trainer, request: FineTuneRequest): Promise<string> {
  const before = await trainedModels();
  // An earlier test's training may not have ended yet.
  const { id } = await eventually(() => trainer.launch(request), 400_000);
  await eventually(async () => expect(hasEnded(await trainer.get(id))).toBe(true), 400_000);
  expect(await trainer.get(id)).toMatchObject({ status: 'succeeded', error: null });
  const [model] = [...(await trainedModels())].filter((name) => !before.has(name));
  const url = `${modelServer}/v1/adapters/${model}/files/adapter_model.safetensors`;
  const reply = await fetch(url);
  expect(reply.status).toBe(200);
  return createHash('sha256')
    .update(Buffer.from(await reply.arrayBuffer()))
    .digest('hex');
}

async function trainedModels(): Promise<ReadonlySet<string>> {
  const reply = await fetch(`${modelServer}/v1/fine_tuning/jobs?limit=100`);
  const { data } = (await reply.json()) as { data: { fine_tuned_model: string | null }[] };
  return new Set(data.flatMap(({ fine_tuned_model: model }) => (model === null ? [] : [model])));
}

test('the model server, NeMo Platform and NeMo Microservices v1 make the same weights of one request', async () => {
  const platform = createPlatformTrainer(await aWorkspace(), artifacts);
  const microservices = createMicroservicesTrainer(settingsOf(nemoV1), artifacts);

  const expected = await weightsBy(local, await aRequest());

  expect(await weightsBy(platform, await aRequest())).toBe(expected);
  expect(await weightsBy(microservices, await aRequest({ baseModel: 'flywheel/nano-1m' }))).toBe(expected);
  // Another seed is another training: equal weights are no accident.
  expect(await weightsBy(local, await aRequest({ seed: 8 }))).not.toBe(expected);
}, 1_200_000);
