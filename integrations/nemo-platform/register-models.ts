import { z } from 'zod';
import { unless } from './errors.ts';
import { createModelsClient } from './models.ts';
import { madeByDescription, type Reference, referenceText } from './names.ts';
import { changeServed } from './served-models.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport, type Transport } from './transport.ts';

/** What our model server is called as a provider of the platform. */
export const providerName = 'flywheel-model-server';

export interface ServedByUs {
  /** Root of the model server, ending in its version. */
  readonly hostUrl: string;
  /** Base models, as it calls them. */
  readonly models: readonly string[];
}

/**
 * Makes a server's base models answer at the platform's gateway: workspace, provider, and for each model an
 * entity, the provider's entry and a virtual model. For a platform without the controller that would find them.
 * Repeated, it changes nothing; entries of adapters stay.
 */
export async function registerModels(settings: NemoPlatformSettings, served: ServedByUs): Promise<void> {
  const transport = createTransport(settings);
  const models = createModelsClient(transport);
  const { workspace } = settings;
  const provider = { workspace, name: providerName };
  await ensureWorkspace(transport, workspace);
  await models.ensureProvider(provider, served.hostUrl);
  const entries = served.models.map((model) => ({
    model_entity_id: referenceText(entityOf(workspace, model)),
    served_model_name: model,
  }));
  const ids = new Set(entries.map((entry) => entry.model_entity_id));
  await changeServed({ models, platform: settings.name }, provider, (known) => [
    ...known.filter((entry) => !ids.has(entry.model_entity_id)),
    ...entries,
  ]);
  if ((await models.provider(provider))?.status !== 'READY') await models.setReady(provider);
  for (const model of served.models) {
    const entity = entityOf(workspace, model);
    await models.ensureEntity(entity, provider);
    await models.ensureVirtualModel(entity);
  }
}

/** Names at the platform have no slashes, which those of a hub do. */
function entityOf(workspace: string, model: string): Reference {
  return { workspace, name: model.replace(/[^\w.-]+/g, '-').toLowerCase() };
}

async function ensureWorkspace(transport: Transport, name: string): Promise<void> {
  const making = transport.call({
    doing: `make workspace ${name}`,
    method: 'POST',
    path: '/apis/entities/v2/workspaces',
    body: { name, description: madeByDescription },
    reply: z.unknown(),
  });
  await unless('conflict', making);
}
