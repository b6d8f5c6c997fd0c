import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, inject } from 'vitest';
import { flywheelHyperparameters } from '../../../domain/experiments/hyperparameter-names.ts';
import { createFileArtifactStore } from '../../../integrations/files/artifact-store.ts';
import { createChatModel } from '../../../integrations/openai/chat-model.ts';
import { createEmbedder } from '../../../integrations/openai/embedder.ts';
import { createTrainer } from '../../../integrations/openai/trainer.ts';
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

describeEmbedder('the model server', async () => ({ embedder: createEmbedder(settings), model: 'nano-1m' }));

describeTrainer('the model server', async () => {
  const artifacts = createFileArtifactStore(dir);
  return {
    trainer: createTrainer({ ...settings, hyperparameters: flywheelHyperparameters }, artifacts),
    artifacts,
    baseModel: 'nano-1m',
    async answers(model) {
      const body = { messages: [{ role: 'user', content: 'hi' }], max_completion_tokens: 4 };
      const { response } = await chatModel.complete({ model, body, timeoutMs: 60_000 });
      return response['model'] === model;
    },
  };
});
