import { expect, test } from 'vitest';
import { createChatModel } from '../../integrations/nemo-platform/chat-model.ts';
import { aWorkspace, aWorkspaceServing } from '../support/nemo-platform.ts';
import { ask, moveRoute, setup, startModel } from './support/gateway.ts';

/** What the gateway's provider is: our workspace, and a model that another one has. */
async function aModelElsewhere() {
  const model = await startModel();
  const elsewhere = await aWorkspaceServing('theirs', model.baseUrl);
  const ours = await aWorkspace();
  return { model, ours, name: `${elsewhere.workspace}/theirs` };
}

test('a model of another workspace is served by the one that was evaluated', async () => {
  const { model, ours, name } = await aModelElsewhere();
  const bundle = await setup();
  const { name: _, modelServer: __, ...settings } = ours;
  const nemo = { ...settings, kind: 'nemo-platform', evaluator: 'nemo', customizer: 'peft' } as const;
  Object.assign(bundle.config, { providers: { nemo } });
  const serving = { provider: 'nemo', model: name, fewShotUri: null, maxTokens: 64 };
  await moveRoute(bundle, { moveId: 'm1', serving });
  const gateway = await bundle.start();

  const served = await ask(gateway.url);

  expect(served.status).toBe(200);
  const body = { messages: [{ role: 'user', content: 'hi' }] };
  const evaluated = await createChatModel(ours).complete({ model: name, body, timeoutMs: 60_000 });
  expect((await served.json()) as object).toEqual(evaluated.response);
  expect(model.asked.map(({ body: asked }) => asked['model'])).toEqual(['theirs', 'theirs']);
}, 300_000);
