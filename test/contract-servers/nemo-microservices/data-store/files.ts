import type { Context, Hono } from 'hono';
import { hubError, readRepo } from './hub-repo.ts';
import type { DataStore, StoredFile } from './repos.ts';

/** Listing and downloading. */
export function mountFiles(app: Hono, store: DataStore): void {
  const tree = (context: Context) => {
    const found = readRepo(context, store);
    if (found instanceof Response) return found;
    const { files = new Map<string, StoredFile>() } = found.repo.revisions.get(found.revision) ?? {};
    const recursive = /^(true|1)$/i.test(context.req.query('recursive') ?? '');
    const below = rest(context, 'tree');
    const inside = [...files].filter(([path]) => below === '' || path.startsWith(`${below}/`));
    if (below !== '' && inside.length === 0) {
      return hubError(context, 404, `${below} does not exist`, 'EntryNotFound');
    }
    return context.json(entries(inside, below, recursive));
  };
  const api = '/v1/hf/api/:kind{datasets|models}/:namespace/:name/tree/:revision';
  app.get(api, tree);
  app.get(`${api}/*`, tree);

  const resolve = (context: Context) => download(context, store);
  app.get('/v1/hf/:kind{datasets}/:namespace/:name/resolve/:revision/*', resolve);
  app.get('/v1/hf/:namespace/:name/resolve/:revision/*', resolve);
}

/** The path behind `…/<marker>/<revision>/`. */
function rest(context: Context, marker: string): string {
  const [, path = ''] = new RegExp(`/${marker}/[^/]+/?(.*)$`).exec(context.req.path) ?? [];
  return decodeURIComponent(path);
}

function entries(files: [string, StoredFile][], below: string, recursive: boolean) {
  const folders = new Set<string>();
  const listed = files.flatMap(([path, { oid, bytes, lfs }]) => {
    const [, ...inner] = (below === '' ? `/${path}` : path.slice(below.length)).split('/');
    for (let depth = 1; depth < inner.length; depth++) {
      if (recursive || depth === 1)
        folders.add([...(below ? [below] : []), ...inner.slice(0, depth)].join('/'));
    }
    if (!recursive && inner.length > 1) return [];
    const size = bytes.length;
    return [{ type: 'file', oid, size, path, ...(lfs && { lfs: { oid, size, pointerSize: 128 } }) }];
  });
  return [...[...folders].map((path) => ({ type: 'directory', oid: '', size: 0, path })), ...listed];
}

function download(context: Context, store: DataStore): Response {
  const found = readRepo(context, store);
  if (found instanceof Response) return found;
  const { commit = '', files } = found.repo.revisions.get(found.revision) ?? {};
  const path = rest(context, 'resolve');
  const file = files?.get(path);
  if (!file) return hubError(context, 404, `${path} does not exist`, 'EntryNotFound');
  const headers: Record<string, string> = {
    ETag: `"${file.oid}"`,
    'X-Repo-Commit': commit,
    'Accept-Ranges': 'bytes',
    'Content-Type': 'application/octet-stream',
  };
  const size = file.bytes.length;
  const range = /^bytes=(\d+)-(\d*)$/.exec(context.req.header('range') ?? '');
  if (range) {
    const [, first = '0', last = ''] = range;
    const end = Math.min(last === '' ? size - 1 : Number(last), size - 1);
    const part = file.bytes.subarray(Number(first), end + 1);
    headers['Content-Range'] = `bytes ${first}-${end}/${size}`;
    headers['Content-Length'] = String(part.length);
    return new Response(new Uint8Array(part), { status: 206, headers });
  }
  headers['Content-Length'] = String(size);
  return new Response(new Uint8Array(file.bytes), { status: 200, headers });
}
