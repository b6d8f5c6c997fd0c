import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChatModel, createEmbedder } from '../../../integrations/nemo-microservices/chat-model.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { describeChatModel } from '../../contracts/chat-model.contract.ts';
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

describeChatModel('a NIM', async () => ({
  chatModel: createChatModel(settingsOf(server)),
  model,
  contextLength: 2048,
}));

test('embeds texts in their order, saying on which side of a search they are', async () => {
  const embedder = createEmbedder(settingsOf(server));

  const vectors = await embedder.embed({ model, texts: ['when is payday', 'hello'], timeoutMs: 60_000 });
  const [alone] = await embedder.embed({ model, texts: ['hello'], timeoutMs: 60_000 });

  expect(vectors).toHaveLength(2);
  expect(vectors[1]?.[0]).toBeCloseTo(alone?.[0] ?? Number.NaN, 4);
  expect(server.calls.at(-1)?.body).toMatchObject({ input_type: 'query' });
});
