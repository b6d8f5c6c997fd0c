import type { Hono } from 'hono';
import { z } from 'zod';
import type { JsonObject } from '../../../domain/json.ts';
import { newEntity, redacted, timestamp } from './entity.ts';
import { listReply, type OwnFilters } from './listing.ts';
import { deleted, fail, missing, readBody } from './replies.ts';
import { text } from './text.ts';

/** Entities by `namespace/name`. */
export type Table = Map<string, JsonObject>;

export interface Kind {
  readonly path: string;
  /** As messages call it. */
  readonly title: string;
  readonly idPrefix: string;
  readonly table: Table;
  readonly create: z.ZodType<JsonObject>;
  /** Adds what the service adds, refuses what it refuses. */
  readonly complete?: (entity: JsonObject) => JsonObject;
  readonly show?: (entity: JsonObject) => JsonObject;
  readonly filters?: OwnFilters;
  readonly afterCreate?: (entity: JsonObject) => void;
  readonly afterDelete?: (entity: JsonObject) => void;
  /** Where the service has a way of its own to refuse a name that exists. */
  readonly duplicate?: (name: string) => Error;
}

export function keyOf(entity: JsonObject): string {
  return `${text(entity['namespace'])}/${text(entity['name'])}`;
}

/** Create, list, read, change and delete of a kind that is addressed by `{namespace}/{name}`. */
export function mountCrud(app: Hono, kind: Kind): void {
  const { path, table } = kind;
  const show = (entity: JsonObject) => redacted((kind.show ?? ((same) => same))(entity)) as JsonObject;

  app.post(path, async (context) => {
    const body = await readBody(context, kind.create);
    const made = newEntity(kind.idPrefix, body);
    const key = keyOf(made);
    if (table.has(key)) throw kind.duplicate?.(key) ?? fail(409, `${kind.title} ${key} already exists`);
    const entity = kind.complete?.(made) ?? made;
    table.set(key, entity);
    kind.afterCreate?.(entity);
    return context.json(show(entity));
  });

  app.get(path, (context) => context.json(listReply(context, [...table.values()].map(show), kind.filters)));

  const find = (key: string): JsonObject => {
    const entity = table.get(key);
    if (!entity) throw missing(kind.title, key);
    return entity;
  };
  const item = `${path}/:namespace/:name`;
  app.get(item, (context) => context.json(show(find(keyOf(context.req.param())))));

  // Partial, and what cannot change is passed over: the blueprint sends a whole create body.
  app.patch(item, async (context) => {
    const entity = find(keyOf(context.req.param()));
    const { name: _, namespace: __, ...changes } = await readBody(context, anyObject);
    Object.assign(entity, changes, { updated_at: timestamp() });
    return context.json(show(entity));
  });

  app.delete(item, (context) => {
    const key = keyOf(context.req.param());
    const entity = find(key);
    table.delete(key);
    kind.afterDelete?.(entity);
    return context.json(deleted(text(entity['id'] ?? key)));
  });
}

/** A JSON object; what is not named in a schema is kept, as the services do. */
export const anyObject = z.looseObject({}) as unknown as z.ZodType<JsonObject>;
