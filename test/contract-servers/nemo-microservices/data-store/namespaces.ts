import type { Hono } from 'hono';
import { deleted, fail, missing } from '../replies.ts';
import type { DataStore } from './repos.ts';

/** `/v1/datastore/namespaces`: form-encoded, and 201 even for a GET, as recorded. */
export function mountDataStoreNamespaces(app: Hono, { namespaces }: DataStore): void {
  const path = '/v1/datastore/namespaces';
  app.post(path, async (context) => {
    const { namespace } = await context.req.parseBody();
    if (typeof namespace !== 'string' || namespace === '')
      throw fail(422, 'form field "namespace" is required');
    if (namespaces.has(namespace)) throw fail(409, `namespace ${namespace} already exists`);
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const made = { namespace, created_at: now, updated_at: now };
    namespaces.set(namespace, made);
    return context.json(made, 201);
  });
  app.get(path, (context) => context.json({ data: [...namespaces.values()] }));
  app.get(`${path}/`, (context) => context.json({ data: [...namespaces.values()] }));
  app.get(`${path}/:namespace`, (context) => {
    const found = namespaces.get(context.req.param('namespace'));
    if (!found) throw missing('namespace', context.req.param('namespace'));
    return context.json(found, 201);
  });
  app.delete(`${path}/:namespace`, (context) => {
    const name = context.req.param('namespace');
    if (!namespaces.delete(name)) throw missing('namespace', name);
    return context.json(deleted(name));
  });
}
