import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { flywheelDialect } from '../../../config/fine-tuning-dialects.ts';
import { defaultLora } from '../../../domain/experiments/defaults.ts';
import { createFileArtifactStore } from '../../../integrations/files/artifact-store.ts';
import { createAdapterFiles } from '../../../integrations/openai/adapter-files.ts';
import { createChatModel } from '../../../integrations/openai/chat-model.ts';
import { createEmbedder } from '../../../integrations/openai/embedder.ts';
import { createTrainer } from '../../../integrations/openai/trainer.ts';
import { describeAdapterFiles } from '../../contracts/adapter-files.contract.ts';
import { describeChatModel } from '../../contracts/chat-model.contract.ts';
import { describeEmbedder } from '../../contracts/embedder.contract.ts';
import { describeTrainer } from '../../contracts/trainer.contract.ts';

const settings = { name: 'local', baseUrl: `${inject('modelServerUrl')}/v1`, apiKey: null };
const chatModel = createChatModel(settings);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flywheel-model-server-'));
  // The first answer loads the model and, on a machine that has just started, the libraries.
  const body = { messages: [{ role: 'user', content: 'hi' }], max_completion_tokens: 1 };
  await chatModel.complete({ model: 'nano-1m', body, timeoutMs: 240_000 });
}, 240_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

describeChatModel('the model server', async () => ({ chatModel, model: 'nano-1m' }));

describeAdapterFiles('the model server', async () => ({
  files: createAdapterFiles(settings),
  model: await anAdapter(),
}));

/** Any one of those that the server has; trained where it has none yet. */
async function anAdapter(): Promise<string> {
  const artifacts = createFileArtifactStore(dir);
  const trainer = createTrainer({ ...settings, dialect: flywheelDialect }, artifacts);
  const row = {
    messages: [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ],
  };
  const rows = await artifacts.putLines(Array.from({ length: 4 }, () => JSON.stringify(row)));
  const hyperparameters = { ...defaultLora, epochs: 1, batchSize: 4, rank: 4, alpha: 4, learningRate: 1e-2 };
  const given = { baseModel: 'nano-1m', hyperparameters, seed: 1, suffix: 'files', metadata: {} };
  const key = 'adapter-files-contract';
  const job = await trainer.launch({ ...given, key, train: rows, validation: await artifacts.putLines([]) });
  await expect
    .poll(() => trainer.get(job.id), { timeout: 240_000, interval: 200 })
    .toMatchObject({ status: 'succeeded' });
  return (await trainer.get(job.id)).model ?? '';
}
describeEmbedder('the model server', async () => ({ embedder: createEmbedder(settings), model: 'nano-1m' }));

describeTrainer(
  'the model server',
  async () => {
    const artifacts = createFileArtifactStore(dir);
    return {
      trainer: createTrainer({ ...settings, dialect: flywheelDialect }, artifacts),
      artifacts,
      baseModel: 'nano-1m',
      async answers(model) {
        const body = { messages: [{ role: 'user', content: 'hi' }], max_completion_tokens: 4 };
        const { response } = await chatModel.complete({ model, body, timeoutMs: 60_000 });
        return response['model'] === model;
      },
    };
  },
  { setsAside: true },
);
