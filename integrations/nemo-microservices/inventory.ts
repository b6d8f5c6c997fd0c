import type { Inventory, KeptThing } from '../../activities/ports/inventory.ts';
import { RejectedError } from '../../domain/errors.ts';
import { runIdIn } from '../../domain/ids.ts';
import { asUtc } from '../http/as-utc.ts';
import { type Customizer, createCustomizer } from './customizer.ts';
import { createDataStore, type DataStore } from './data-store.ts';
import { createDeploymentManagement, type DeploymentManagement } from './deployment-management.ts';
import { createEntityStore, type EntityStore } from './entity-store.ts';
import { createEvaluationJobs, type EvaluationJobs } from './evaluation.ts';
import { isOurName, prefix } from './names.ts';
import { isOurs, modelsOf } from './ownership.ts';
import type { NemoSettings } from './settings.ts';
import { createTransport } from './transport.ts';

/**
 * What Flywheel made at NeMo Microservices: in its namespace, by its names, and deployments by their custom fields.
 * Customization jobs are not listed: the service has no way to delete them.
 */
export function createInventory(settings: NemoSettings): Inventory {
  const transport = createTransport(settings, settings.url);
  const services: Services = {
    namespace: settings.namespace,
    deployments: createDeploymentManagement(transport),
    entityStore: createEntityStore(transport),
    dataStore: createDataStore(settings),
    customizer: createCustomizer(transport),
    evaluations: createEvaluationJobs(transport),
  };
  return { list: () => list(services), remove: ({ kind, id }) => remove(services, kind, id) };
}

interface Services {
  readonly namespace: string;
  readonly deployments: DeploymentManagement;
  readonly entityStore: EntityStore;
  readonly dataStore: DataStore;
  readonly customizer: Customizer;
  readonly evaluations: EvaluationJobs;
}

async function* list(services: Services): AsyncIterable<KeptThing> {
  const { namespace, deployments, entityStore, customizer, evaluations } = services;
  for await (const deployment of deployments.list()) {
    if (isOurs(deployment, namespace))
      yield {
        ...kept('deployment', 'serving', deployment.fullName, deployment.createdAt),
        serves: modelsOf(deployment),
      };
  }
  for await (const { name, fullName, createdAt } of entityStore.models(namespace)) {
    if (isOurName(name)) yield kept('model', 'weights', fullName, createdAt);
  }
  for await (const { name, fullName, createdAt } of customizer.configs(namespace)) {
    if (isOurConfig(name)) yield kept('customization config', 'work', fullName, createdAt);
  }
  for await (const { job, datasets, createdAt } of evaluations.list(namespace)) {
    const rows = datasets.find(isOurName);
    if (rows !== undefined)
      yield { ...kept('evaluation job', 'work', job.id, createdAt), runId: runIdIn(rows) };
  }
  for await (const { name, fullName, createdAt } of entityStore.datasets(namespace)) {
    if (isOurName(name)) yield kept('dataset', 'work', fullName, createdAt);
  }
}

function kept(kind: string, role: KeptThing['role'], id: string, at: string | null): KeptThing {
  const time = Date.parse(asUtc(at ?? ''));
  const createdAt = Number.isNaN(time) ? null : new Date(time).toISOString();
  return { kind, role, id, createdAt, runId: runIdIn(id) };
}

async function remove(services: Services, kind: string, id: string): Promise<void> {
  const { deployments, entityStore, dataStore, customizer, evaluations } = services;
  const name = id.split('/').slice(1).join('/');
  switch (kind) {
    case 'deployment': {
      const deployment = await deployments.get(id);
      if (deployment === null) return;
      requireOurs(isOurs(deployment, services.namespace), kind, id);
      return deployments.remove(id);
    }
    case 'model':
      requireOurs(isOurName(name), kind, id);
      // The name goes last: what is half removed is listed again.
      if (await isLastOfRepo(services, id)) await dataStore.deleteRepo(repoOf(id), 'model');
      return entityStore.deleteModel(id);
    case 'customization config':
      requireOurs(isOurConfig(name), kind, id);
      return customizer.deleteConfig(id);
    case 'evaluation job': {
      const job = await evaluations.find(id);
      if (job === null) return;
      requireOurs(job.datasets.some(isOurName), kind, id);
      return evaluations.remove(id);
    }
    case 'dataset':
      requireOurs(isOurName(name), kind, id);
      // The name goes last: what is half removed is listed again.
      await dataStore.deleteRepo(id, 'dataset');
      return entityStore.deleteDataset(id);
    default:
      throw new RejectedError(`NeMo Microservices keep no ${kind} of Flywheel’s.`);
  }
}

/** A model's files are a revision of a repository, which all jobs of one key share. */
function repoOf(model: string): string {
  return model.replace(/@.*$/, '');
}

/** Whether no other model has its files there: a cancelled job's entity beside the one that was promoted. */
async function isLastOfRepo({ namespace, entityStore }: Services, id: string): Promise<boolean> {
  for await (const { fullName } of entityStore.models(namespace)) {
    if (fullName !== id && repoOf(fullName) === repoOf(id)) return false;
  }
  return true;
}

/** `model@version+flywheel-<hash>`. */
function isOurConfig(name: string): boolean {
  return name.includes(`+${prefix}-`);
}

function requireOurs(ours: boolean, kind: string, id: string): void {
  if (!ours)
    throw new RejectedError(`The ${kind} ${id} was not made by Flywheel, so Flywheel does not remove it.`);
}
