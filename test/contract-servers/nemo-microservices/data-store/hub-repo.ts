import type { Context } from 'hono';
import type { DataStore, Repo } from './repos.ts';

/** The hub's errors are told apart by a header; their text is in `error`. */
export function hubError(context: Context, status: 400 | 404, error: string, code: string): Response {
  return context.json({ error }, status, { 'X-Error-Code': code, 'X-Error-Message': error });
}

/** The repository and revision that the path names, or the hub's 404. */
export function readRepo(
  context: Context,
  store: DataStore,
  params: Readonly<Record<string, string>> = context.req.param(),
): { readonly repo: Repo; readonly revision: string } | Response {
  const { kind = 'models', namespace, name, revision = 'main' } = params;
  const id = `${namespace}/${name}`;
  const repo = store.repos.get(`${kind === 'datasets' ? 'dataset' : 'model'}:${id}`);
  if (!repo) return hubError(context, 404, `Repository ${id} not found`, 'RepoNotFound');
  if (!repo.revisions.has(revision)) {
    return hubError(context, 404, `Invalid rev id: ${revision}`, 'RevisionNotFound');
  }
  return { repo, revision };
}
