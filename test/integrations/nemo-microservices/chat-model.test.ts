import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChatModel, createEmbedder } from '../../../integrations/nemo-microservices/chat-model.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { describeChatModel } from '../../contracts/chat-model.contract.ts';
import { describeEmbedder } from '../../contracts/embedder.contract.ts';
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

describeEmbedder('a NIM', async () => ({ embedder: createEmbedder(settingsOf(server)), model }));

test('says on which side of a search the texts are', async () => {
  const embedder = createEmbedder(settingsOf(server));

  await embedder.embed({ model, texts: ['when is payday'], timeoutMs: 60_000 });

  expect(server.calls.at(-1)?.body).toMatchObject({ input_type: 'query' });
});
