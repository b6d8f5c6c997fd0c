import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { readBody } from '../replies.ts';
import { commit } from './commit.ts';
import { hubError, readRepo } from './hub-repo.ts';
import { type DataStore, newRepo, type Repo } from './repos.ts';

const RepoName = z.looseObject({
  name: z.string().min(1),
  organization: z.string().min(1),
  type: z.enum(['dataset', 'model']).default('model'),
});
const Preupload = z.looseObject({
  files: z.array(z.looseObject({ path: z.string(), size: z.number(), sample: z.string() })),
});

/**
 * The Hugging Face hub's dialect below `/v1/hf`: repositories, pre-upload and commits. Data files of any size go
 * through LFS, as was seen of the real one; empty files never do.
 */
export function mountHub(app: Hono, store: DataStore): void {
  app.post('/v1/hf/api/repos/create', async (context) => {
    const { name, organization, type } = await readBody(context, RepoName);
    const id = `${organization}/${name}`;
    if (!store.namespaces.has(organization)) {
      return hubError(context, 404, `namespace ${organization} does not exist`, 'RepoNotFound');
    }
    const url = type === 'dataset' ? `datasets/${id}` : id;
    if (store.repos.has(`${type}:${id}`)) {
      return context.json({ error: `You already created this ${type} repo: ${id}`, url }, 409);
    }
    store.repos.set(`${type}:${id}`, newRepo(type, id));
    return context.json({ url, id, name: id });
  });

  app.delete('/v1/hf/api/repos/delete', async (context) => {
    const { name, organization, type } = await readBody(context, RepoName);
    const id = `${organization}/${name}`;
    if (!store.repos.delete(`${type}:${id}`)) {
      return hubError(context, 404, `Repository ${id} not found`, 'RepoNotFound');
    }
    return context.body(null, 200);
  });

  const repo = '/v1/hf/api/:kind{datasets|models}/:namespace/:name';
  const info = (context: Context) => {
    const found = readRepo(context, store);
    return found instanceof Response ? found : context.json(describe(found.repo, found.revision));
  };
  app.get(repo, info);
  app.get(`${repo}/revision/:revision`, info);

  app.post(`${repo}/preupload/:revision`, async (context) => {
    const found = readRepo(context, store);
    if (found instanceof Response) return found;
    const { files } = await readBody(context, Preupload);
    return context.json({
      files: files.map(({ path, size }) => ({
        path,
        uploadMode: size === 0 ? 'regular' : 'lfs',
        shouldIgnore: false,
      })),
    });
  });

  app.post(`${repo}/commit/:revision`, async (context) => {
    const found = readRepo(context, store);
    if (found instanceof Response) return found;
    return commit(context, store, found.repo, found.revision);
  });
}

function describe(repo: Repo, revision: string) {
  const { commit: sha = '', files = new Map() } = repo.revisions.get(revision) ?? {};
  return {
    id: repo.id,
    sha,
    private: false,
    disabled: false,
    gated: false,
    downloads: 0,
    likes: 0,
    tags: [],
    siblings: [...files.keys()].map((rfilename) => ({ rfilename })),
  };
}
