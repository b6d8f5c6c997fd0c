import { expect, inject } from 'vitest';
import { z } from 'zod';
import { createChatModel } from '../../integrations/nemo-platform/chat-model.ts';
import { providerName, registerModels } from '../../integrations/nemo-platform/register-models.ts';
import type { NemoPlatformSettings } from '../../integrations/nemo-platform/settings.ts';
import { createTransport } from '../../integrations/nemo-platform/transport.ts';
import { eventually } from './eventually.ts';

/** Our workspace on the tests' platform, with the model server's nano-1m registered and answering. */
export async function aWorkspace(
  overrides: Partial<NemoPlatformSettings> = {},
): Promise<NemoPlatformSettings> {
  const modelServer = inject('modelServerUrl');
  const settings: NemoPlatformSettings = {
    name: 'nemo',
    url: inject('nemoPlatformUrl'),
    workspace: 'flywheel',
    apiKey: null,
    modelServer,
    customizer: 'peft',
    ...overrides,
  };
  await registerModels(settings, { hostUrl: `${modelServer}/v1`, models: ['nano-1m'] });
  const chatModel = createChatModel(settings);
  // The gateway looks for new models every few seconds.
  await eventually(async () => expect(await chatModel.isServed('nano-1m')).toBe(true), 120_000);
  return settings;
}

let workspaces = 0;

/**
 * A workspace of its own in which the platform's gateway passes a model on to another server, ending in `/v1`, and
 * shows it the key, where there is one: a secret of the workspace that its provider refers to.
 */
export async function aWorkspaceServing(
  model: string,
  hostUrl: string,
  key?: string,
): Promise<NemoPlatformSettings> {
  const settings: NemoPlatformSettings = {
    ...{ name: 'nemo', url: inject('nemoPlatformUrl'), apiKey: null },
    workspace: `tests-${process.pid}-${++workspaces}`,
  };
  if (key !== undefined) await makeProviderWithKey(settings, hostUrl, key);
  await registerModels(settings, { hostUrl, models: [model] });
  const chatModel = createChatModel(settings);
  await eventually(async () => expect(await chatModel.isServed(model)).toBe(true), 120_000);
  return settings;
}

/** As an operator makes it, before anything is registered. */
async function makeProviderWithKey(
  settings: NemoPlatformSettings,
  hostUrl: string,
  key: string,
): Promise<void> {
  const { workspace } = settings;
  const provider = { name: providerName, host_url: hostUrl, api_key_secret_name: 'the-key' };
  for (const [path, body] of [
    ['entities/v2/workspaces', { name: workspace }],
    [`secrets/v2/workspaces/${workspace}/secrets`, { name: 'the-key', value: key }],
    [`models/v2/workspaces/${workspace}/providers`, provider],
  ] as const)
    await createTransport(settings).call({
      ...{ doing: `make ${path}`, method: 'POST', path: `/apis/${path}`, body },
      reply: z.unknown(),
    });
}

/** Whether a model, by its id, answers through the gateway. */
export async function answers(settings: NemoPlatformSettings, model: string): Promise<boolean> {
  const chatModel = createChatModel(settings);
  const body = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 4 };
  try {
    const { response } = await chatModel.complete({ model, body, timeoutMs: 60_000 });
    return response['model'] === model;
  } catch {
    return false;
  }
}
