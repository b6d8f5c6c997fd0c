import { setTimeout as pause } from 'node:timers/promises';
import type { Hono } from 'hono';
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../../../domain/json.ts';
import { type Kind, keyOf, mountCrud } from '../crud.ts';
import { nameOf, newEntity } from '../entity.ts';
import type { Nims } from '../nim/nims.ts';
import { fail } from '../replies.ts';
import { text } from '../text.ts';
import type { BaseModel, World } from '../world.ts';

const named = { name: z.string().min(1).optional(), namespace: z.string().min(1).optional() };
const Config = z.looseObject({
  ...named,
  model: z.union([z.string(), z.looseObject({})]).optional(),
  nim_deployment: z
    .looseObject({
      image_name: z.string(),
      image_tag: z.string(),
      gpu: z.number().int().nonnegative(),
      disable_lora_support: z.boolean().optional(),
    })
    .optional(),
  external_endpoint: z.looseObject({ host_url: z.string() }).optional(),
});
const CreateDeployment = z.looseObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i, 'name must be usable as the name of a Kubernetes object')
    .optional(),
  namespace: z.string().min(1).optional(),
  config: z.union([z.string(), Config]),
});

/** Deployment Management: created → pending → running → ready, or failed. */
export function mountDeployments(app: Hono, world: World, nims: Nims): void {
  mountCrud(app, {
    title: 'Deployment config',
    path: '/v1/deployment/configs',
    idPrefix: 'deployment-config',
    table: world.tables.deploymentConfigs,
    create: Config as unknown as Kind['create'],
    show: withoutId,
  });
  /** Pods whose deployment was deleted and that have not ended. */
  const ending = new Set<string>();
  mountCrud(app, {
    title: 'Model deployment',
    path: '/v1/deployment/model-deployments',
    idPrefix: 'deployment',
    table: world.tables.deployments,
    create: CreateDeployment as unknown as Kind['create'],
    show: withoutId,
    complete: (entity) => {
      if (ending.has(keyOf(entity))) throw duplicate();
      return newDeployment(world, entity);
    },
    afterCreate: (deployment) => world.run(deploy(world, nims, deployment)),
    afterDelete: (deployment) => {
      const key = keyOf(deployment);
      ending.add(key);
      world.run(
        pause(world.options.undeployMs, undefined, { signal: world.closed }).then(() => {
          nims.stop(key);
          ending.delete(key);
        }),
      );
    },
    duplicate,
  });
  for (const id of world.options.deployed) addForeign(world, nims, id);
}

/** The real one's words, with its status. */
function duplicate(): Error {
  return fail(500, 'model deployment already exists');
}

function withoutId({ id: _id, ...entity }: JsonObject): JsonObject {
  return entity;
}

function newDeployment(world: World, entity: JsonObject): JsonObject {
  const { config } = entity;
  const found = typeof config === 'string' ? world.tables.deploymentConfigs.get(config) : config;
  if (!found) throw fail(404, `Deployment config ${text(config)} not found`);
  return {
    models: [],
    async_enabled: false,
    ...entity,
    config: found,
    url: `http://${text(entity['name'])}.${text(entity['namespace'])}.svc.cluster.local:8000`,
    deployed: false,
    status_details: { status: 'created', description: '' },
  };
}

async function deploy(world: World, nims: Nims, deployment: JsonObject): Promise<void> {
  const key = keyOf(deployment);
  const config = deployment['config'] as JsonObject;
  for (const status of ['pending', 'running']) {
    await pause(world.options.deployStepMs, undefined, { signal: world.closed });
    deployment['status_details'] = { status, description: status === 'pending' ? 'pulling the image' : '' };
  }
  await pause(world.options.deployStepMs, undefined, { signal: world.closed });
  if (world.tables.deployments.get(key) !== deployment) return;
  const base = world.options.bases.find(({ id }) => id === nameOf(config['model']));
  const complaint = base ? unusable(config, base) : `no model ${text(nameOf(config['model']))}`;
  if (!base || complaint !== null) {
    deployment['status_details'] = { status: 'failed', description: complaint ?? '' };
    return;
  }
  const { disable_lora_support: noLora = false } = (config['nim_deployment'] ?? {}) as JsonObject;
  nims.start(key, base, noLora !== true);
  Object.assign(deployment, {
    deployed: true,
    models: [base.id],
    status_details: { status: 'ready', description: '' },
  });
}

/** Why no pod of this config would start; images are named after what they hold. */
function unusable(config: JsonObject, base: BaseModel): string | null {
  const { nim_deployment: nim } = config;
  if (!isJsonObject(nim)) return 'config has no nim_deployment';
  const { image_name: image } = nim;
  return text(image).endsWith(`/${base.id}`) ? null : `ErrImagePull: ${text(image)} not found`;
}

/** What Helm deployed with the platform: in the model's own namespace. */
function addForeign(world: World, nims: Nims, id: string): void {
  const base = world.options.bases.find((one) => one.id === id);
  if (!base) throw new Error(`no base model ${id}`);
  const [namespace = 'default', name = id] = id.split('/');
  const nim = { image_name: `registry.example/nim/${id}`, image_tag: '1.8.3', gpu: 1 };
  const entity = newEntity('deployment', { namespace, name, config: { model: id, nim_deployment: nim } });
  const ready = { deployed: true, models: [id], status_details: { status: 'ready', description: '' } };
  world.tables.deployments.set(`${namespace}/${name}`, { ...newDeployment(world, entity), ...ready });
  nims.start(`${namespace}/${name}`, base, true);
}
