import { z } from 'zod';
import { ifThere, isAbsent, isConflict, isConflictOfNamespace } from './errors.ts';
import { listAll } from './paging.ts';
import { itemPath, type Transport } from './transport.ts';

/** What we read of a dataset. */
export const DatasetEntity = z
  .object({
    name: z.string(),
    namespace: z.string(),
    files_url: z.string().nullish(),
    created_at: z.string().nullish(),
  })
  .transform(({ name, namespace, files_url, created_at }) => ({
    fullName: `${namespace}/${name}`,
    name,
    filesUrl: files_url ?? null,
    createdAt: created_at ?? null,
  }));
export type DatasetEntity = z.output<typeof DatasetEntity>;

/** What we read of a model. Its name may hold a revision: `model@cust-…`. */
export const ModelEntity = z
  .object({
    name: z.string(),
    namespace: z.string(),
    artifact: z.object({ status: z.string().nullish() }).nullish(),
    created_at: z.string().nullish(),
  })
  .transform(({ name, namespace, artifact, created_at }) => ({
    fullName: `${namespace}/${name}`,
    name,
    /** `created`, `upload_completed`, `upload_failed`; an entity alone is no proof of files. */
    artifactStatus: artifact?.status ?? null,
    createdAt: created_at ?? null,
  }));
export type ModelEntity = z.output<typeof ModelEntity>;

export interface NewDataset {
  /** `namespace/name`. */
  readonly fullName: string;
  readonly description: string;
  readonly customFields: Readonly<Record<string, string>>;
}

/** The Entity Store: names of namespaces, datasets and models. No files. */
export interface EntityStore {
  /** Makes the namespace unless it is there. */
  ensureNamespace(id: string): Promise<void>;
  /** Registers the repository of the same name as a dataset, unless it is registered. */
  ensureDataset(dataset: NewDataset): Promise<void>;
  datasets(namespace: string): AsyncIterable<DatasetEntity>;
  /** Harmless when it is gone. */
  deleteDataset(fullName: string): Promise<void>;
  /** null when there is none. */
  model(fullName: string): Promise<ModelEntity | null>;
  models(namespace: string): AsyncIterable<ModelEntity>;
  /** Harmless when it is gone. */
  deleteModel(fullName: string): Promise<void>;
}

export function createEntityStore(transport: Transport): EntityStore {
  const exists = (doing: string, path: string) =>
    transport.json({ doing, method: 'GET', path }, z.unknown()).then(
      () => true,
      (error: unknown) => {
        if (isAbsent(error)) return false;
        throw error;
      },
    );
  const remove = async (doing: string, path: string) => {
    await ifThere(transport.json({ doing, method: 'DELETE', path }, z.unknown()));
  };
  // Looked for before and tolerated after: it may be made twice, so it may be sent twice.
  const create = async (doing: string, path: string, body: unknown, isThere = isConflict) => {
    const call = { doing, method: 'POST', path, body, repeatable: true } as const;
    await transport.json(call, z.unknown()).catch((error: unknown) => {
      if (!isThere(error)) throw error;
    });
  };

  return {
    async ensureNamespace(id) {
      if (await exists(`look for namespace ${id}`, `/v1/namespaces/${id}`)) return;
      const body = { id, description: 'Made by Flywheel' };
      await create(`make namespace ${id}`, '/v1/namespaces', body, isConflictOfNamespace);
    },
    async ensureDataset({ fullName, description, customFields }) {
      if (await exists(`look for dataset ${fullName}`, itemPath('/v1/datasets', fullName))) return;
      const [namespace, name] = fullName.split('/');
      const filesUrl = `hf://datasets/${fullName}`;
      const body = { name, namespace, files_url: filesUrl, description, custom_fields: customFields };
      await create(`register dataset ${fullName}`, '/v1/datasets', body);
    },
    datasets: (namespace) =>
      listAll(
        transport,
        { doing: 'list datasets', path: '/v1/datasets', query: { 'filter[namespace]': namespace } },
        DatasetEntity,
      ),
    deleteDataset: (fullName) => remove(`delete dataset ${fullName}`, itemPath('/v1/datasets', fullName)),
    model(fullName) {
      const call = { doing: `look for model ${fullName}`, path: itemPath('/v1/models', fullName) };
      return ifThere(transport.json({ ...call, method: 'GET' }, ModelEntity));
    },
    models: (namespace) =>
      listAll(
        transport,
        { doing: 'list models', path: '/v1/models', query: { 'filter[namespace]': namespace } },
        ModelEntity,
      ),
    deleteModel: (fullName) => remove(`delete model ${fullName}`, itemPath('/v1/models', fullName)),
  };
}
