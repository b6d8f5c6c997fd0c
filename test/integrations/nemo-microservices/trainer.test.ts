import { afterAll, beforeAll, expect } from 'vitest';
import { createChatModel } from '../../../integrations/nemo-microservices/chat-model.ts';
import { createTrainer } from '../../../integrations/nemo-microservices/trainer.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { describeTrainer } from '../../contracts/trainer.contract.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';

let server: NemoServer;
beforeAll(async () => {
  server = await aNemoServer();
});
afterAll(() => server.close());

describeTrainer(
  'NeMo Microservices v1',
  async () => {
    const settings = settingsOf(server);
    const artifacts = inMemoryArtifacts();
    const chatModel = createChatModel(settings);
    return {
      trainer: createTrainer(settings, artifacts),
      artifacts,
      baseModel: 'flywheel/nano-1m',
      alwaysValidates: true,
      async answers(model) {
        // A NIM lists an adapter some time after its training.
        await expect.poll(() => chatModel.isServed(model), { timeout: 60_000 }).toBe(true);
        const body = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 4 };
        const { response } = await chatModel.complete({ model, body, timeoutMs: 60_000 });
        return response['model'] === model;
      },
    };
  },
  { queues: true },
);
