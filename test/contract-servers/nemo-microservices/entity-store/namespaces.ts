import type { Hono } from 'hono';
import { z } from 'zod';
import type { JsonObject } from '../../../../domain/json.ts';
import { anyObject } from '../crud.ts';
import { timestamp } from '../entity.ts';
import { listReply } from '../listing.ts';
import { deleted, fail, missing, readBody } from '../replies.ts';
import { text } from '../text.ts';

const CreateNamespace = z.looseObject({ id: z.string().min(1) });

/** `/v1/namespaces`: the id is the caller's own. */
export function mountNamespaces(app: Hono, namespaces: Map<string, JsonObject>): void {
  const find = (id: string): JsonObject => {
    const namespace = namespaces.get(id);
    if (!namespace) throw missing('Namespace', id);
    return namespace;
  };

  app.post('/v1/namespaces', async (context) => {
    const body = await readBody(context, CreateNamespace);
    if (namespaces.has(body.id)) throw fail(409, `Namespace ${body.id} already exists`);
    const now = timestamp();
    const rest = { description: null, project: null, custom_fields: {}, ownership: null };
    const namespace = { ...rest, ...body, created_at: now, updated_at: now } as JsonObject;
    namespaces.set(body.id, namespace);
    return context.json(namespace);
  });
  app.get('/v1/namespaces', (context) => context.json(listReply(context, [...namespaces.values()])));
  app.get('/v1/namespaces/:id', (context) => context.json(find(context.req.param('id'))));
  app.patch('/v1/namespaces/:id', async (context) => {
    const namespace = find(context.req.param('id'));
    const { id: _, ...changes } = await readBody(context, anyObject);
    return context.json(Object.assign(namespace, changes, { updated_at: timestamp() }));
  });
  app.delete('/v1/namespaces/:id', (context) => {
    const { id } = find(context.req.param('id'));
    namespaces.delete(text(id));
    return context.json(deleted(text(id)));
  });
}
