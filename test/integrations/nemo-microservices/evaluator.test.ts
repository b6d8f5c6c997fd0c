import { afterAll, beforeAll } from 'vitest';
import { createChatModel } from '../../../integrations/nemo-microservices/chat-model.ts';
import { createEvaluator } from '../../../integrations/nemo-microservices/evaluator.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { describeEvaluator } from '../../contracts/evaluator.contract.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';

const model = 'flywheel/nano-1m';

let server: NemoServer;
beforeAll(async () => {
  server = await aNemoServer();
  // The first answer loads the model.
  const body = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 1 };
  await createChatModel(settingsOf(server)).complete({ model, body, timeoutMs: 240_000 });
}, 240_000);
afterAll(() => server.close());

describeEvaluator('NeMo Evaluator v1', async () => {
  const settings = settingsOf(server);
  const chatModel = createChatModel(settings);
  return {
    evaluator: createEvaluator(settings),
    model,
    ask: async (body) => (await chatModel.complete({ model, body, timeoutMs: 60_000 })).response,
  };
});
