import { createHash } from 'node:crypto';
import type { Hono } from 'hono';
import { z } from 'zod';
import { readBody } from '../replies.ts';
import { readRepo } from './hub-repo.ts';
import type { DataStore } from './repos.ts';

const Batch = z.looseObject({
  operation: z.literal('upload'),
  transfers: z.array(z.string()).optional(),
  objects: z.array(z.looseObject({ oid: z.string(), size: z.number() })),
});

/**
 * Git LFS with basic transfers. An upload's address is used as it is: clients send it neither credentials nor
 * the headers of the batch reply. What is stored already has no actions.
 */
export function mountLfs(app: Hono, store: DataStore, publicUrl: () => string): void {
  // A route cannot end a parameter at ".git"; the name is read off the path.
  const batch = /^(?<name>.+)\.git$/;
  for (const path of [
    '/v1/hf/:kind{datasets}/:namespace/:git/info/lfs/objects/batch',
    '/v1/hf/:namespace/:git/info/lfs/objects/batch',
  ]) {
    app.post(path, async (context) => {
      const params: Readonly<Record<string, string>> = context.req.param();
      const name = batch.exec(params['git'] ?? '')?.groups?.['name'] ?? '';
      const found = readRepo(context, store, { ...params, name });
      if (found instanceof Response) return found;
      const { objects } = await readBody(context, Batch);
      return context.json({ transfer: 'basic', objects: objects.map((object) => reply(object)) }, 200, {
        'content-type': 'application/vnd.git-lfs+json',
      });
    });
  }

  function reply({ oid, size }: { oid: string; size: number }) {
    if (store.objects.has(oid)) return { oid, size };
    const href = `${publicUrl()}/lfs/objects/${oid}`;
    return { oid, size, actions: { upload: { href }, verify: { href: `${href}/verify` } } };
  }

  app.put('/lfs/objects/:oid', async (context) => {
    const { oid } = context.req.param();
    if (context.req.header('authorization')) {
      return context.json({ message: 'a pre-signed address takes no Authorization' }, 400);
    }
    const bytes = Buffer.from(await context.req.arrayBuffer());
    if (createHash('sha256').update(bytes).digest('hex') !== oid) {
      return context.json({ message: 'content does not match its oid' }, 422);
    }
    store.objects.set(oid, bytes);
    return context.body(null, 200);
  });

  app.post('/lfs/objects/:oid/verify', (context) =>
    store.objects.has(context.req.param('oid'))
      ? context.json({ message: 'ok' })
      : context.json({ message: 'not found' }, 404),
  );
}
