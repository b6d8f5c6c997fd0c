import type { Inventory, KeptThing } from '../../activities/ports/inventory.ts';
import { RejectedError } from '../../domain/errors.ts';
import { asUtc } from '../http/as-utc.ts';
import { createFilesClient, type FilesClient } from './files.ts';
import { createJobsClient, type JobsClient } from './jobs.ts';
import { createModelsClient, type ModelsClient } from './models.ts';
import { isOurs, type Reference, referenceText, toReference } from './names.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport } from './transport.ts';

/**
 * What Flywheel made in its workspace, told by its name. Model entities, providers and the workspace itself are not
 * among it: they were there before us, or are shared by all that is.
 */
export function createInventory(settings: NemoPlatformSettings): Inventory {
  const transport = createTransport(settings);
  const services: Services = {
    provider: settings.name,
    workspace: settings.workspace,
    jobs: createJobsClient(settings, transport),
    models: createModelsClient(transport),
    files: createFilesClient(transport),
  };
  return { list: () => list(services), remove: ({ kind, id }) => remove(services, kind, id) };
}

interface Services {
  readonly provider: string;
  readonly workspace: string;
  readonly jobs: JobsClient;
  readonly models: ModelsClient;
  readonly files: FilesClient;
}

async function* list({ workspace, jobs, models, files }: Services): AsyncIterable<KeptThing> {
  const modelId = (name: string) => referenceText({ workspace, name });
  for (const { name, created_at: at } of ours(await models.virtualModels(workspace)))
    yield { kind: 'virtual model', role: 'serving', id: modelId(name), createdAt: toTime(at) };
  for (const { name, created_at: at } of ours(await models.adapters(workspace)))
    yield { kind: 'adapter', role: 'weights', id: modelId(name), createdAt: toTime(at) };
  for (const { name, created_at: at } of ours(await jobs.list()))
    yield { kind: 'job', role: 'work', id: name, createdAt: toTime(at) };
  for (const { name, created_at: at } of ours(await files.list(workspace)))
    yield { kind: 'fileset', role: 'weights', id: name, createdAt: toTime(at) };
}

async function remove(services: Services, kind: string, id: string): Promise<void> {
  const { provider, workspace, jobs, models, files } = services;
  const thing = toReference(id, workspace);
  if (!isOurs(thing.name)) {
    throw new RejectedError(
      `${provider}: the ${kind} ${id} was not made by Flywheel, which removes only what it made.`,
    );
  }
  switch (kind) {
    case 'virtual model':
      return removeRoute(models, thing);
    case 'adapter':
      return models.removeAdapter(thing);
    case 'job':
      return jobs.remove(thing.name);
    case 'fileset':
      return files.remove(workspace, thing.name);
    default:
      throw new RejectedError(`${provider}: Flywheel makes no ${kind} there, and so removes none.`);
  }
}

/** With the entry among what a provider serves, which would name a model that is gone. */
async function removeRoute(models: ModelsClient, model: Reference): Promise<void> {
  await models.removeVirtualModel(model);
  for (const { name, served_models: served } of await models.providers(model.workspace)) {
    const kept = served.filter((entry) => entry.model_entity_id !== referenceText(model));
    if (kept.length < served.length) await models.setServed({ workspace: model.workspace, name }, kept);
  }
}

function ours<T extends { readonly name: string }>(things: readonly T[]): T[] {
  return things.filter(({ name }) => isOurs(name));
}

/** The platform writes its times without a zone; they are UTC. */
function toTime(at: string | number | null | undefined): string | null {
  if (at == null) return null;
  return new Date(typeof at === 'number' ? at : asUtc(at)).toISOString();
}
