import { z } from 'zod';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import { unless } from './errors.ts';
import { Adapter, ModelEntity, ModelProvider, type ServedModel, VirtualModel } from './models.schema.ts';
import { madeBy, madeByDescription, type Reference, referenceText } from './names.ts';
import { openAiPath } from './openai-path.ts';
import { listAll } from './pages.ts';
import type { Transport } from './transport.ts';

/** `/apis/models/v2` and the gateway's virtual models: what there is, who serves it, what is routed. */
export interface ModelsClient {
  entity(model: Reference): Promise<ModelEntity | null>;
  provider(provider: Reference): Promise<ModelProvider | null>;
  providers(workspace: string): Promise<ModelProvider[]>;
  adapter(adapter: Reference): Promise<Adapter | null>;
  adapters(workspace: string): Promise<Adapter[]>;
  virtualModel(model: Reference): Promise<VirtualModel | null>;
  virtualModels(workspace: string): Promise<VirtualModel[]>;
  /** Whether the gateway would pass a request for it on right now. */
  isRouted(model: Reference): Promise<boolean>;
  /** Whether the gateway routes it no more: for seconds it goes on with what it knew. */
  isForgotten(model: Reference): Promise<boolean>;
  /** Made unless it is there. One of ours that is elsewhere is moved to this address, with all that it serves. */
  ensureProvider(provider: Reference, hostUrl: string): Promise<void>;
  ensureEntity(model: Reference, provider: Reference): Promise<void>;
  ensureVirtualModel(model: Reference): Promise<void>;
  /** What the provider serves, whole: whoever writes one entry writes all. Its status stays as it is. */
  setServed(provider: Reference, served: readonly ServedModel[]): Promise<void>;
  setReady(provider: Reference): Promise<void>;
  setAdapterEnabled(adapter: Reference, enabled: boolean): Promise<void>;
  removeVirtualModel(model: Reference): Promise<void>;
  removeAdapter(adapter: Reference): Promise<void>;
}

function models(workspace: string): string {
  return `/apis/models/v2/workspaces/${encodeURIComponent(workspace)}`;
}

function gateway(workspace: string): string {
  return `/apis/inference-gateway/v2/workspaces/${encodeURIComponent(workspace)}`;
}

/**
 * What the gateway knows of routes and of who serves what is refreshed one after the other, and its lists tell of
 * routes alone: what it lists it may refuse for some seconds. So it is asked to pass on what any server answers.
 */
async function isPassedOn(transport: Transport, { workspace, name }: Reference): Promise<boolean> {
  const path = `${gateway(workspace)}/model/${encodeURIComponent(name)}/-/v1/models`;
  try {
    await transport.call({ doing: `reach ${name}`, method: 'GET', path, reply: z.unknown() });
    return true;
  } catch (error) {
    if (error instanceof RejectedError) return error.code !== 'model_not_found';
    // The server behind it is in trouble: it is its server all the same.
    if (error instanceof UnavailableError && error.kind === 'failing') return true;
    throw error;
  }
}

async function isListed(transport: Transport, { workspace, name }: Reference): Promise<boolean> {
  const path = `${openAiPath(workspace)}/models/${encodeURIComponent(name)}`;
  const doing = `look up the route of ${name}`;
  return (await transport.find({ doing, method: 'GET', path, reply: z.unknown() })) !== null;
}

export function createModelsClient(transport: Transport): ModelsClient {
  const { find, create, remove } = verbs(transport);
  /** Of the fields of a provider's status those that are told are changed. */
  const setStatus = async (doing: string, it: Reference, body: object) => {
    const path = `${models(it.workspace)}/providers/${encodeURIComponent(it.name)}/status`;
    await transport.call({ doing, method: 'PUT', path, body, reply: z.unknown() });
  };
  return {
    entity: (it) => find('model', it, `${models(it.workspace)}/models`, ModelEntity),
    provider: (it) => find('provider', it, `${models(it.workspace)}/providers`, ModelProvider),
    providers: (workspace) =>
      listAll(transport, { what: 'providers', path: `${models(workspace)}/providers`, item: ModelProvider }),
    adapter: (it) => find('adapter', it, `${models(it.workspace)}/adapters`, Adapter),
    virtualModel: (it) => find('virtual model', it, `${gateway(it.workspace)}/virtual-models`, VirtualModel),
    adapters: (workspace) =>
      listAll(transport, { what: 'adapters', path: `${models(workspace)}/adapters`, item: Adapter }),
    virtualModels: (workspace) =>
      listAll(transport, {
        what: 'virtual models',
        path: `${gateway(workspace)}/virtual-models`,
        item: VirtualModel,
      }),
    isRouted: (it) => isPassedOn(transport, it),
    isForgotten: async (it) => !(await isListed(transport, it)),
    ensureProvider: (it, hostUrl) => ensureProvider(transport, it, hostUrl),
    ensureEntity: (it, provider) =>
      create('model', it, `${models(it.workspace)}/models`, {
        model_providers: [referenceText(provider)],
        custom_fields: madeBy,
      }),
    ensureVirtualModel: (it) =>
      create('virtual model', it, `${gateway(it.workspace)}/virtual-models`, {
        default_model_entity: referenceText(it),
      }),
    setServed: (it, served) =>
      setStatus(`set what ${referenceText(it)} serves`, it, { served_models: served }),
    setReady: (it) => setStatus(`call ${referenceText(it)} ready`, it, { status: 'READY' }),
    setAdapterEnabled: async (it, enabled) => {
      await transport.find({
        doing: `${enabled ? 'enable' : 'disable'} adapter ${it.name}`,
        method: 'PATCH',
        path: `${models(it.workspace)}/adapters/${encodeURIComponent(it.name)}`,
        body: { enabled },
        // Two that write it at once are told by a 500.
        idempotent: true,
        reply: z.unknown(),
      });
    },
    removeVirtualModel: (it) => remove('virtual model', it, `${gateway(it.workspace)}/virtual-models`),
    removeAdapter: (it) => remove('adapter', it, `${models(it.workspace)}/adapters`),
  };
}

async function ensureProvider(transport: Transport, it: Reference, hostUrl: string): Promise<void> {
  const { find, create } = verbs(transport);
  const path = `${models(it.workspace)}/providers`;
  const body = { host_url: hostUrl, description: madeByDescription };
  await create('provider', it, path, body);
  const found = await find('provider', it, path, ModelProvider);
  // It is replaced but for what it serves: what an operator made may have a key, which ours has not.
  if (found?.description !== madeByDescription || found.host_url === hostUrl) return;
  await transport.call({
    doing: `move provider ${it.name} to ${hostUrl}`,
    method: 'PUT',
    path: `${path}/${encodeURIComponent(it.name)}`,
    body,
    reply: z.unknown(),
  });
}

function verbs(transport: Transport) {
  return {
    find: <T>(what: string, { name }: Reference, collection: string, reply: z.ZodType<T>) =>
      transport.find({
        doing: `look up ${what} ${name}`,
        method: 'GET',
        path: `${collection}/${encodeURIComponent(name)}`,
        reply,
      }),
    async create(what: string, { name }: Reference, collection: string, body: object): Promise<void> {
      const making = transport.call({
        doing: `make ${what} ${name}`,
        method: 'POST',
        path: collection,
        body: { name, ...body },
        reply: z.unknown(),
      });
      // It is there: made by an earlier attempt, or by whoever was quicker.
      await unless('conflict', making);
    },
    async remove(what: string, { name }: Reference, collection: string): Promise<void> {
      await transport.find({
        doing: `remove ${what} ${name}`,
        method: 'DELETE',
        path: `${collection}/${encodeURIComponent(name)}`,
        reply: z.unknown(),
      });
    },
  };
}
