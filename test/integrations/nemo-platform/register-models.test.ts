import { expect, onTestFinished, test } from 'vitest';
import { createChatModel } from '../../../integrations/nemo-platform/chat-model.ts';
import { createModelsClient } from '../../../integrations/nemo-platform/models.ts';
import { providerName, registerModels } from '../../../integrations/nemo-platform/register-models.ts';
import { createTransport } from '../../../integrations/nemo-platform/transport.ts';
import { eventually } from '../../support/eventually.ts';
import { respond, startHttpServer } from '../../support/http-server.ts';
import { aWorkspaceServing } from '../../support/nemo-platform.ts';

/** A model server that says where it is. */
async function aServer(content: string): Promise<string> {
  const server = await startHttpServer((_, response) =>
    respond(response, 200, {
      ...{ id: 'chat-1', object: 'chat.completion', created: 1, model: 'small' },
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }),
  );
  onTestFinished(() => server.close());
  return `${server.url}/v1`;
}

/** A workspace whose model server was at an address of before, and is now at another. */
async function setup(key?: string) {
  const before = await aServer('of before');
  const settings = await aWorkspaceServing('small', before, key);
  const models = createModelsClient(createTransport(settings));
  const provider = { workspace: settings.workspace, name: providerName };
  return { settings, models, provider, before, now: await aServer('of now') };
}

test('a model server at another address is followed by the platform of before, with all that it serves', async () => {
  const { settings, models, provider, now } = await setup();
  const adapter = { model_entity_id: `${settings.workspace}/an-adapter`, served_model_name: 'ft:1' };
  const served = (await models.provider(provider))?.served_models ?? [];
  await models.setServed(provider, [...served, adapter]);

  await registerModels(settings, { hostUrl: now, models: ['small'] });

  expect(await models.provider(provider)).toMatchObject({
    ...{ host_url: now, status: 'READY' },
    served_models: [...served, adapter],
  });
  await eventually(async () => {
    const body = { messages: [{ role: 'user', content: 'where are you?' }] };
    const { response } = await createChatModel(settings).complete({
      model: 'small',
      body,
      timeoutMs: 60_000,
    });
    expect(response).toMatchObject({ choices: [{ message: { content: 'of now' } }] });
  }, 60_000);
}, 300_000);

test('a provider of that name that an operator made stays where it is', async () => {
  const { settings, models, provider, before, now } = await setup('the-key-of-an-operator');

  await registerModels(settings, { hostUrl: now, models: ['small'] });

  expect(await models.provider(provider)).toMatchObject({ host_url: before });
}, 300_000);
