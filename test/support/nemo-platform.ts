import { expect, inject } from 'vitest';
import { createChatModel } from '../../integrations/nemo-platform/chat-model.ts';
import { registerModels } from '../../integrations/nemo-platform/register-models.ts';
import type { NemoPlatformSettings } from '../../integrations/nemo-platform/settings.ts';
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
  await eventually(async () => expect(await chatModel.isServed('nano-1m')).toBe(true), 60_000);
  return settings;
}

let workspaces = 0;

/** A workspace of its own in which the platform's gateway passes a model on to another server, ending in `/v1`. */
export async function aWorkspaceServing(model: string, hostUrl: string): Promise<NemoPlatformSettings> {
  const settings: NemoPlatformSettings = {
    ...{ name: 'nemo', url: inject('nemoPlatformUrl'), apiKey: null },
    workspace: `tests-${process.pid}-${++workspaces}`,
  };
  await registerModels(settings, { hostUrl, models: [model] });
  const chatModel = createChatModel(settings);
  await eventually(async () => expect(await chatModel.isServed(model)).toBe(true), 60_000);
  return settings;
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
