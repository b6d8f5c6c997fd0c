import type { Inventory, KeptThing } from '../../activities/ports/inventory.ts';
import { RejectedError } from '../../domain/errors.ts';
import { asUtc } from '../http/as-utc.ts';
import { createFilesClient, type FilesClient } from './files.ts';
import { createJobsClient, type JobsClient } from './jobs.ts';
import { createModelsClient, type ModelsClient } from './models.ts';
import { isDatasetName, isOurs, makesAdapter, type Reference, referenceText, toReference } from './names.ts';
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
  const ourJobs = ours(await jobs.list());
  /** Of an adapter and whatever is called after it, while its job is there. */
  const trainedBy = (name: string): string | null => {
    const job = ourJobs.find((one) => makesAdapter(one.name, name));
    return job === undefined ? null : runIdOf(job);
  };
  const thing = (kind: string, role: KeptThing['role'], { name, created_at: at }: Named): KeptThing => {
    const id = kind === 'job' || kind === 'fileset' ? name : referenceText({ workspace, name });
    return { kind, role, id, createdAt: toTime(at), runId: trainedBy(name) };
  };
  for (const virtual of ours(await models.virtualModels(workspace)))
    yield thing('virtual model', 'serving', virtual);
  for (const adapter of ours(await models.adapters(workspace))) yield thing('adapter', 'weights', adapter);
  for (const job of ourJobs) yield { ...thing('job', 'work', job), runId: runIdOf(job) };
  for (const fileset of ours(await files.list(workspace))) {
    yield isDatasetName(fileset.name)
      ? { ...thing('fileset', 'work', fileset), runId: runIdOf(fileset) }
      : thing('fileset', 'weights', fileset);
  }
}

interface Named {
  readonly name: string;
  readonly created_at?: string | number | null | undefined;
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

interface Tagged {
  readonly custom_fields?: Readonly<Record<string, unknown>> | null | undefined;
}

function runIdOf({ custom_fields: fields }: Tagged): string | null {
  const runId = fields?.['run_id'];
  return typeof runId === 'string' ? runId : null;
}

/** The platform writes its times without a zone; they are UTC. */
function toTime(at: string | number | null | undefined): string | null {
  if (at == null) return null;
  return new Date(typeof at === 'number' ? at : asUtc(at)).toISOString();
}
