import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Deployer, Deployment, DeploymentTarget } from '../../activities/ports/deployer.ts';
import { RejectedError } from '../../domain/errors.ts';
import { type Client, createClient, type ProviderSettings } from '../openai/client.ts';
import type { AdapterFolder } from './adapter-folder.ts';
import { isBusyWith } from './busy.ts';
import { whyNotApplied } from './proof.ts';

const timeoutMs = 30_000;
/** Weights are read from a disk, perhaps a shared one. */
const loadTimeoutMs = 5 * 60_000;
/** Long answers that are under way are finished before an adapter goes. */
const defaultDrainMs = 60_000;

/** `root` is the folder that an adapter was loaded from, `parent` its base model. */
const Models = z.object({
  data: z.array(z.object({ id: z.string(), root: z.string().nullish(), parent: z.string().nullish() })),
});
type Model = z.infer<typeof Models>['data'][number];

/**
 * Adapters of a running vLLM, loaded and unloaded without a restart: it needs `--enable-lora`, a
 * `--max-lora-rank` of at least the adapter's, and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True. Its base model was
 * chosen at its start, and is its operator's.
 *
 * A listed adapter counts as ready once its own answers prove that it is applied (`proof.ts`), whoever loaded it and
 * however long ago.
 */
export function createDeployer(
  settings: ProviderSettings & { readonly drainMs?: number },
  folder: AdapterFolder | null,
): Deployer {
  const server = { client: createClient(settings), settings, folder };
  return {
    deploy: (target) => deploy(server, target),
    async get(id) {
      const found = await find(server, id);
      return found && ready(id, isOurs(server, found));
    },
    remove: (id, target) => remove(server, id, target),
  };
}

interface Server {
  readonly client: Client;
  readonly settings: ProviderSettings & { readonly drainMs?: number };
  readonly folder: AdapterFolder | null;
}

async function deploy(server: Server, { model, baseModel }: DeploymentTarget): Promise<Deployment> {
  const found = await find(server, model);
  if (found) return proven(server, found, baseModel);
  if (baseModel === null)
    return failed(model, false, `it serves the base model chosen at its start, and ${model} is not it`);
  if (server.folder === null)
    return failed(model, false, 'candidates.yaml names no `adapters` folder that it could read it from');
  try {
    await load(server, model, await server.folder.put(model));
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    // Loaded by another process in the meantime is as good.
    const loaded = await find(server, model);
    return loaded ? proven(server, loaded, baseModel) : failed(model, true, error.message);
  }
  const loaded = await find(server, model);
  return loaded
    ? proven(server, loaded, baseModel)
    : failed(model, true, 'it was loaded, and is not among the models');
}

/** A base model is what it is; of an adapter its answers tell. */
async function proven(server: Server, found: Model, baseModel: string | null): Promise<Deployment> {
  const ours = isOurs(server, found);
  const base = found.parent ?? baseModel;
  if (base === null || base === found.id) return ready(found.id, ours);
  const probes = (await server.folder?.probes(found.id)) ?? [];
  const problem = await whyNotApplied(server.client, { model: found.id, base, probes });
  return problem === null ? ready(found.id, ours) : failed(found.id, ours, problem);
}

/** A deployment's id is the model's, so that what was only begun is found, too. */
async function remove(server: Server, told: string | null, { model }: DeploymentTarget): Promise<void> {
  const id = told ?? model;
  const found = await find(server, id);
  if (found && !isOurs(server, found)) {
    if (told === null) return;
    throw new RejectedError(`${id} was loaded by somebody else; Flywheel leaves it where it is.`);
  }
  if (found) {
    await drain(server.settings, id);
    const body = { lora_name: id };
    await post(server, `unload ${id}`, '/unload_lora_adapter', body).catch(async (error: unknown) => {
      if (await find(server, id)) throw error;
    });
  }
  await server.folder?.remove(id);
}

async function find({ client }: Server, model: string): Promise<Model | null> {
  const { data } = await client.call({
    doing: 'list models',
    timeoutMs,
    reply: Models,
    send: (openai, options) => openai.get('/models', options),
  });
  return data.find(({ id }) => id === model) ?? null;
}

async function load(server: Server, model: string, path: string): Promise<void> {
  await post(server, `load ${model}`, '/load_lora_adapter', { lora_name: model, lora_path: path });
}

function post({ client }: Server, doing: string, path: string, body: object): Promise<unknown> {
  return client.call({
    ...{ doing, timeoutMs: loadTimeoutMs, reply: z.unknown() },
    send: (openai, options) => openai.post(path, { ...options, body }),
  });
}

function isOurs({ folder }: Server, { root, id }: Model): boolean {
  return folder?.holds(root ?? null, id) ?? false;
}

/** No new calls come, for no route leads here; what is under way may end. */
async function drain(settings: Server['settings'], model: string): Promise<void> {
  const deadline = Date.now() + (settings.drainMs ?? defaultDrainMs);
  while (Date.now() < deadline && (await isBusyWith(settings, model))) await pause(500);
}

function ready(id: string, ours: boolean): Deployment {
  return { id, status: 'ready', ours, error: null };
}

function failed(id: string, ours: boolean, error: string): Deployment {
  return { id, status: 'failed', ours, error };
}
