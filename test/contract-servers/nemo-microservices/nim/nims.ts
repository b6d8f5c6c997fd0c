import { isJsonObject, type JsonObject } from '../../../../domain/json.ts';
import { filesAt } from '../data-store/repos.ts';
import { text } from '../text.ts';
import type { BaseModel, World } from '../world.ts';

/** One running NIM: a base model, and the adapters that it has fetched. */
interface Nim {
  readonly base: BaseModel;
  readonly lora: boolean;
  /** The adapter's id → what the model server calls it. */
  adapters: ReadonlyMap<string, string>;
}

export interface ServedModel {
  readonly id: string;
  /** `namespace/name` of the deployment whose NIM serves it. */
  readonly deployment: string;
  /** What the model server calls it. */
  readonly servedAs: string;
  readonly base: BaseModel;
}

/** The NIMs behind the proxy. Each asks the Entity Store for adapters of its base, again and again. */
export interface Nims {
  start(key: string, base: BaseModel, lora: boolean): void;
  stop(key: string): void;
  served(): readonly ServedModel[];
  find(id: string): ServedModel | undefined;
}

export function createNims(world: World): Nims {
  const nims = new Map<string, Nim>();
  const timer = setInterval(() => {
    for (const nim of nims.values()) if (nim.lora) nim.adapters = adaptersOf(world, nim.base);
  }, world.options.refreshMs);
  timer.unref();
  world.closed.addEventListener('abort', () => clearInterval(timer));
  const served = () =>
    [...nims].flatMap(([deployment, { base, adapters }]) => [
      { id: base.id, servedAs: base.servedAs, base, deployment },
      ...[...adapters].map(([id, servedAs]) => ({ id, servedAs, base, deployment })),
    ]);
  return {
    start: (key, base, lora) => void nims.set(key, { base, lora, adapters: new Map() }),
    stop: (key) => void nims.delete(key),
    served,
    find: (id) => served().find((model) => model.id === id),
  };
}

function adaptersOf(world: World, base: BaseModel): ReadonlyMap<string, string> {
  const found = [...world.tables.models.values()].filter((model) => isAdapterOf(model, base));
  return new Map(
    found.flatMap((model) => {
      const servedAs = readAdapter(world, text((model['artifact'] as JsonObject)['files_url']));
      return servedAs === null ? [] : [[`${text(model['namespace'])}/${text(model['name'])}`, servedAs]];
    }),
  );
}

function isAdapterOf(model: JsonObject, base: BaseModel): boolean {
  const { peft = null, artifact = null } = model;
  return (
    model['base_model'] === base.id &&
    isJsonObject(peft) &&
    peft['finetuning_type'] === 'lora' &&
    isJsonObject(artifact) &&
    artifact['status'] === 'upload_completed'
  );
}

/** The weights stay at the model server; what the repository holds names them. */
function readAdapter(world: World, filesUrl: string): string | null {
  const config = filesAt(world.dataStore, filesUrl)?.get('adapter_config.json');
  if (!config) return null;
  const { model_server_adapter: name } = JSON.parse(config.bytes.toString('utf8')) as Record<string, unknown>;
  return typeof name === 'string' ? name : null;
}
