import type { Inventory, KeptThing } from '../../activities/ports/inventory.ts';
import { RejectedError } from '../../domain/errors.ts';
import type { GuardrailRules } from '../../domain/guardrails/guardrails.ts';
import { asUtc } from '../http/as-utc.ts';
import { createFilesClient, type FilesClient } from './files.ts';
import {
  createGuardrailConfigurations,
  type GuardrailConfigurations,
  guardrailConfiguration,
} from './guardrail-configurations.ts';
import { createJobsClient, type JobsClient } from './jobs.ts';
import type { Adapter } from './models.schema.ts';
import { createModelsClient, type ModelsClient } from './models.ts';
import { isDatasetName, isOurs, makesAdapter, type Reference, referenceText, toReference } from './names.ts';
import { changeServed, serves, without } from './served-models.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport } from './transport.ts';

/**
 * What Flywheel made in its workspace, told by its name. Model entities, providers and the workspace itself are not
 * among it: they were there before us, or are shared by all that is. Nor are an adapter's files while it is there:
 * they go with it, whatever its backend called them. Nor are the guardrails that `policies` check by: they would be
 * made again by the next call.
 */
export function createInventory(
  settings: NemoPlatformSettings,
  policies: readonly GuardrailRules[] = [],
): Inventory {
  const transport = createTransport(settings);
  const services: Services = {
    provider: settings.name,
    workspace: settings.workspace,
    jobs: createJobsClient(settings, transport),
    models: createModelsClient(transport),
    files: createFilesClient(transport),
    guardrails: createGuardrailConfigurations(transport, settings.workspace),
    guardrailsInUse: new Set(policies.flatMap(namesOf)),
  };
  return { list: () => list(services), remove: ({ kind, id }) => remove(services, kind, id) };
}

interface Services {
  readonly provider: string;
  readonly workspace: string;
  readonly jobs: JobsClient;
  readonly models: ModelsClient;
  readonly files: FilesClient;
  readonly guardrails: GuardrailConfigurations;
  /** Names. */
  readonly guardrailsInUse: ReadonlySet<string>;
}

function namesOf(rules: GuardrailRules): string[] {
  return (['question', 'answer'] as const).map((spoken) => guardrailConfiguration(rules, spoken).key);
}

async function* list(services: Services): AsyncIterable<KeptThing> {
  const { workspace, jobs, models, files, guardrails, guardrailsInUse } = services;
  const ourJobs = ours(await jobs.list());
  /** Of an adapter and whatever is called after it, while its job is there. */
  const trainedBy = (name: string): string | null => {
    const job = ourJobs.find((one) => makesAdapter(one.name, name));
    return job === undefined ? null : runIdOf(job);
  };
  const thing = (kind: string, role: KeptThing['role'], { name, created_at: at }: Named): KeptThing => {
    const id = inWorkspace.has(kind) ? referenceText({ workspace, name }) : name;
    return { kind, role, id, createdAt: toTime(at), runId: trainedBy(name) };
  };
  for (const virtual of ours(await models.virtualModels(workspace)))
    yield thing('virtual model', 'serving', virtual);
  const adapters = await models.adapters(workspace);
  for (const adapter of ours(adapters)) yield thing('adapter', 'weights', adapter);
  for (const job of ourJobs) yield { ...thing('job', 'work', job), runId: runIdOf(job) };
  const weights = new Set(adapters.map((adapter) => weightsOf(adapter, workspace)));
  for (const fileset of ours(await files.list(workspace))) {
    if (weights.has(referenceText({ workspace, name: fileset.name }))) continue;
    yield isDatasetName(fileset.name)
      ? { ...thing('fileset', 'work', fileset), runId: runIdOf(fileset) }
      : thing('fileset', 'weights', fileset);
  }
  for (const configuration of ours(await guardrails.list()))
    if (!guardrailsInUse.has(configuration.name))
      yield { ...thing('guardrail configuration', 'work', configuration), runId: null };
}

/** Kinds that requests name by their workspace, too. */
const inWorkspace: ReadonlySet<string> = new Set(['virtual model', 'adapter']);

interface Named {
  readonly name: string;
  readonly created_at?: string | number | null | undefined;
}

async function remove(services: Services, kind: string, id: string): Promise<void> {
  const { provider, workspace, jobs, files, guardrails } = services;
  const thing = toReference(id, workspace);
  if (!isOurs(thing.name)) {
    throw new RejectedError(
      `${provider}: the ${kind} ${id} was not made by Flywheel, which removes only what it made.`,
    );
  }
  switch (kind) {
    case 'virtual model':
      return removeRoute(services, thing);
    case 'adapter':
      return removeAdapter(services, thing);
    case 'job':
      return jobs.remove(thing.name);
    case 'fileset':
      return files.remove(workspace, thing.name);
    case 'guardrail configuration':
      return guardrails.remove(thing.name);
    default:
      throw new RejectedError(`${provider}: Flywheel makes no ${kind} there, and so removes none.`);
  }
}

/** With the entry among what a provider serves, which would name a model that is gone. */
async function removeRoute({ models, provider: platform }: Services, model: Reference): Promise<void> {
  const { workspace } = model;
  await models.removeVirtualModel(model);
  for (const { name, served_models: served } of await models.providers(workspace))
    if (serves(served, model))
      await changeServed({ models, platform }, { workspace, name }, (all) => without(all, model));
}

/** Then its files, unless another adapter has them too. What is begun here is found as a fileset the next time. */
async function removeAdapter({ workspace, models, files }: Services, id: Reference): Promise<void> {
  const adapter = await models.adapter(id);
  if (adapter === null) return;
  await models.removeAdapter(id);
  const weights = toReference(weightsOf(adapter, id.workspace), workspace);
  if (weights.workspace !== workspace || !isOurs(weights.name)) return;
  const others = await models.adapters(workspace);
  if (others.some((other) => weightsOf(other, workspace) === referenceText(weights))) return;
  await files.remove(workspace, weights.name);
}

/** The fileset: ours has the adapter's name, automodel's and unsloth's another. */
function weightsOf({ fileset }: Adapter, workspace: string): string {
  return referenceText(toReference(fileset, workspace));
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
