import type { Hono } from 'hono';
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../../../domain/json.ts';
import { type Kind, mountCrud, type Table } from '../crud.ts';
import { nameOf } from '../entity.ts';
import { fail } from '../replies.ts';
import { text } from '../text.ts';

const named = { name: z.string().min(1).optional(), namespace: z.string().min(1).optional() };
const CreateProject = z.looseObject(named);
const CreateDataset = z.looseObject({
  ...named,
  files_url: z.string().regex(/^(hf|nds|file):\/\//, 'files_url must begin with hf://, nds:// or file://'),
});
const CreateModel = z.looseObject({
  ...named,
  base_model: z.unknown(),
  artifact: z.looseObject({}).nullish(),
});

export interface EntityTables {
  readonly namespaces: Table;
  readonly projects: Table;
  readonly datasets: Table;
  readonly models: Table;
}

/** Projects, datasets and models. A namespace has to be there first. */
export function mountEntities(app: Hono, tables: EntityTables): void {
  const complete = (entity: JsonObject): JsonObject => {
    const namespace = text(entity['namespace']);
    if (namespace === 'default' || tables.namespaces.has(namespace)) return entity;
    throw fail(404, `Namespace ${namespace} not found`);
  };
  const kind = (title: string, path: string, table: Table, create: z.ZodType): Kind => ({
    title,
    path,
    idPrefix: title.toLowerCase(),
    table,
    create: create as Kind['create'],
    complete,
  });
  mountCrud(app, kind('Project', '/v1/projects', tables.projects, CreateProject));
  mountCrud(app, {
    ...kind('Dataset', '/v1/datasets', tables.datasets, CreateDataset),
    complete: (entity) => ({
      format: null,
      hf_endpoint: null,
      split: null,
      limit: null,
      ...complete(entity),
    }),
  });
  mountCrud(app, {
    ...kind('Model', '/v1/models', tables.models, CreateModel),
    filters: {
      base_model: (entity, wanted) => nameOf(entity['base_model']) === wanted,
      peft: (entity, wanted) => isJsonObject(entity['peft']) === (wanted === 'true'),
    },
    // The SDK's type of a model has no id.
    show: ({ id: _id, ...entity }) => entity,
  });
}
