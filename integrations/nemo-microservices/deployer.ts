import { setTimeout as pause } from 'node:timers/promises';
import type { Deployer, Deployment, DeploymentTarget } from '../../activities/ports/deployer.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import { shorten } from '../http/errors.ts';
import { createChatModel } from './chat-model.ts';
import { type DeploymentId, formatId, parseId } from './deployment-id.ts';
import {
  createDeploymentManagement,
  type DeploymentManagement,
  type ModelDeployment,
} from './deployment-management.ts';
import { createEntityStore, type EntityStore } from './entity-store.ts';
import { isConflict, isMissing } from './errors.ts';
import { requireContainer, toContainer } from './nim-container.ts';
import { isMarked, isOurs, modelsOf, ownership } from './ownership.ts';
import type { NemoSettings, NimImage } from './settings.ts';
import { createTransport } from './transport.ts';

/**
 * Deployments of NIMs by Deployment Management. An adapter has none of its own: its base's NIM fetches it from
 * the Entity Store. What a deployment of ours serves stands in its custom fields, so that it is removed with
 * the last model and not before; whatever others deployed is used as it is.
 *
 * `nims` are the containers of the base models that Flywheel may deploy, by the model's id.
 */
export function createDeployer(
  settings: NemoSettings,
  nims: Readonly<Record<string, NimImage>> = {},
): Deployer {
  const transport = createTransport(settings, settings.url);
  const chatModel = createChatModel(settings);
  const context: Context = {
    settings,
    nims,
    deployments: createDeploymentManagement(transport),
    entityStore: createEntityStore(transport),
    isServed: (model) => chatModel.isServed(model),
  };
  const inTurn = createQueue();
  return {
    deploy: (target) => inTurn(() => deploy(context, target)),
    get: (id) => get(context, parseId(id)),
    remove: (id, target) =>
      inTurn(() => (id === null ? removeBegun(context, target) : remove(context, parseId(id), target))),
  };
}

interface Context {
  readonly settings: NemoSettings;
  readonly nims: Readonly<Record<string, NimImage>>;
  readonly deployments: DeploymentManagement;
  readonly entityStore: EntityStore;
  readonly isServed: (model: string) => Promise<boolean>;
}

/** What a deployment serves is read and written back; two of us at once would lose one's entry. */
function createQueue() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work, work);
    last = done.catch(() => undefined);
    return done;
  };
}

async function deploy(context: Context, target: DeploymentTarget): Promise<Deployment> {
  const base = target.baseModel ?? target.model;
  const adapter = target.baseModel === null ? null : target.model;
  const found = await find(context, base);
  const deployment = found ?? (await make(context, base, target.model));
  if (deployment === 'elsewhere')
    return toDeployment(context, { kind: 'served', base, adapter }, null, target.model);
  if (isOurs(deployment, context.settings.namespace)) {
    requireSuitable(context, deployment, target);
    await addModel(context, deployment.fullName, target.model);
  }
  const id: DeploymentId = { kind: 'deployment', fullName: deployment.fullName, adapter };
  return toDeployment(context, id, deployment, target.model);
}

/**
 * Who serves the base: our deployment, somebody's, or, where Flywheel knows no container for it, a NIM that no
 * deployment accounts for. Where it knows one, such a NIM may be our own last one, about to end.
 */
async function find(
  { settings, nims, deployments, isServed }: Context,
  base: string,
): Promise<ModelDeployment | 'elsewhere' | null> {
  const own = await deployments.get(ownName(settings, base));
  if (own) return own;
  for await (const deployment of deployments.list()) {
    // Another Flywheel's goes with that one's last model, whoever else asks it: not where we can have our own.
    if (isMarked(deployment) && nims[base] !== undefined) continue;
    if (deployment.serves.includes(base) && deployment.status !== 'failed') return deployment;
  }
  return nims[base] === undefined && (await isServed(base)) ? 'elsewhere' : null;
}

/**
 * A changed container is never silently the old one; but what is served by the old one already stays so: a route
 * that is to be rolled back has no time for that.
 */
function requireSuitable(
  { settings, nims }: Context,
  ours: ModelDeployment,
  { model, baseModel }: DeploymentTarget,
): void {
  const nim = nims[baseModel ?? model];
  if (nim !== undefined && !modelsOf(ours).includes(model)) requireContainer(settings, ours, nim);
}

/** What the base's deployment of ours is called. */
export function ownName({ namespace }: NemoSettings, base: string): string {
  return `${namespace}/${deploymentName(base)}`;
}

/** No slash is allowed in it, so it is put together as the blueprint does. */
function deploymentName(base: string): string {
  return base.replaceAll('/', '-');
}

/** Containers of a deleted deployment end some time after it, and keep its name until then. */
const endingMs = 60_000;
const pollMs = 500;

async function make(context: Context, base: string, model: string): Promise<ModelDeployment> {
  const { settings, deployments, entityStore } = context;
  const nim = containerOf(context, base);
  const name = deploymentName(base);
  await entityStore.ensureNamespace(settings.namespace);
  for (const deadline = Date.now() + endingMs; ; await pause(pollMs)) {
    try {
      return await deployments.create({
        name,
        namespace: settings.namespace,
        description: 'Made by Flywheel',
        config: { model: base, nim_deployment: nim },
        custom_fields: ownership([model]),
      });
    } catch (error) {
      if (!isConflict(error)) throw error;
      const there = await deployments.get(ownName(settings, base));
      if (there) return there;
      if (Date.now() > deadline) {
        throw new UnavailableError(`${settings.name} is still ending an earlier deployment ${name}.`, {
          kind: 'busy',
        });
      }
    }
  }
}

function containerOf({ settings, nims }: Context, base: string): Readonly<Record<string, unknown>> {
  const nim = nims[base];
  if (!nim) throw new RejectedError(noContainer(settings, base), { code: 'model_not_found' });
  return toContainer(nim);
}

/** What a base is told that no NIM serves and nobody can deploy. */
export function noContainer({ name }: NemoSettings, base: string): string {
  return (
    `No NIM serves ${base} at ${name}, and Flywheel knows no container for it: ` +
    'deploy one, or name its image among `nims` of the provider in candidates.yaml.'
  );
}

/** Another process may write at the same time: written, read back, and again where the entry was lost. */
async function addModel({ deployments }: Context, fullName: string, model: string): Promise<void> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const deployment = await deployments.get(fullName);
    if (!deployment) throw ended(fullName);
    if (modelsOf(deployment).includes(model)) return;
    const models = [...modelsOf(deployment), model];
    await deployments
      .setCustomFields(fullName, { ...deployment.customFields, ...ownership(models) })
      .catch((error: unknown) => {
        throw isMissing(error) ? ended(fullName) : error;
      });
  }
}

/** With its last model, by another process, while we came. */
function ended(fullName: string): UnavailableError {
  return new UnavailableError(`Deployment ${fullName} was removed while a model was put on it.`, {
    kind: 'busy',
  });
}

async function get(context: Context, id: DeploymentId): Promise<Deployment | null> {
  if (id.kind === 'served') {
    return (await context.isServed(id.base)) ? toDeployment(context, id, null, id.adapter ?? id.base) : null;
  }
  const deployment = await context.deployments.get(id.fullName);
  const model = id.adapter ?? deployment?.serves[0];
  if (!deployment || model === undefined) return null;
  // Taken off, though the deployment goes on for others.
  if (isOurs(deployment, context.settings.namespace) && !modelsOf(deployment).includes(model)) return null;
  return toDeployment(context, id, deployment, model);
}

/** Ready is what answers: a deployment whose NIM lists the model, which is a while after the deployment says so. */
async function toDeployment(
  context: Context,
  id: DeploymentId,
  deployment: ModelDeployment | null,
  model: string,
): Promise<Deployment> {
  const ours = deployment !== null && isOurs(deployment, context.settings.namespace);
  const shown = { id: formatId(id), ours, error: null };
  if (deployment?.status === 'failed') {
    // A cluster's words about a pod may quote what it was given.
    const error = shorten(deployment.description || 'the service gives no reason', context.settings.apiKey);
    return { ...shown, status: 'failed', error };
  }
  if (deployment !== null && deployment.status !== 'ready') return { ...shown, status: 'pending' };
  if (await context.isServed(model)) return { ...shown, status: 'ready' };
  const complaint = id.adapter === null ? null : await unfetchable(context, id.adapter);
  return complaint === null
    ? { ...shown, status: 'pending' }
    : { ...shown, status: 'failed', error: complaint };
}

/** Why no NIM will ever fetch the adapter; null when it will. The entity alone is no proof that it exists. */
async function unfetchable({ entityStore }: Context, adapter: string): Promise<string | null> {
  const entity = await entityStore.model(adapter);
  if (!entity) return `the Entity Store has no model ${adapter}`;
  return entity.artifactStatus === 'upload_failed' ? `the files of ${adapter} were not stored` : null;
}

async function remove(
  { deployments, settings }: Context,
  id: DeploymentId,
  target: DeploymentTarget,
): Promise<void> {
  const deployment = id.kind === 'served' ? 'elsewhere' : await deployments.get(id.fullName);
  if (deployment === null) return;
  if (deployment === 'elsewhere' || !isOurs(deployment, settings.namespace)) {
    throw new RejectedError(
      `${formatId(id)} at ${settings.name} was not deployed by Flywheel, so Flywheel does not remove it.`,
    );
  }
  await removeModel(deployments, deployment, target.model);
}

/** Nobody lived to tell the id: it is the one of our name, if it says that it serves the target. */
async function removeBegun({ deployments, settings }: Context, target: DeploymentTarget): Promise<void> {
  const deployment = await deployments.get(ownName(settings, target.baseModel ?? target.model));
  if (deployment === null || !isOurs(deployment, settings.namespace)) return;
  const models = modelsOf(deployment);
  // With none left, whoever took the last one off died before it could remove the rest.
  if (models.length === 0 || models.includes(target.model))
    await removeModel(deployments, deployment, target.model);
}

/** The last one takes the deployment with it, unless another process has put a model on it meanwhile. */
async function removeModel(
  deployments: DeploymentManagement,
  deployment: ModelDeployment,
  leaving: string,
): Promise<void> {
  const { fullName, customFields } = deployment;
  const models = modelsOf(deployment).filter((model) => model !== leaving);
  try {
    await deployments.setCustomFields(fullName, { ...customFields, ...ownership(models) });
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  if (models.length > 0) return;
  const left = await deployments.get(fullName);
  if (left !== null && modelsOf(left).length === 0) await deployments.remove(fullName);
}
