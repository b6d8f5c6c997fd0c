import type { Context } from 'hono';
import { z } from 'zod';
import { hubError } from './hub-repo.ts';
import { type DataStore, newCommit, type Repo, regularFile, type StoredFile } from './repos.ts';

const Line = z.discriminatedUnion('key', [
  z.object({ key: z.literal('header'), value: z.looseObject({ summary: z.string() }) }),
  z.object({
    key: z.literal('file'),
    value: z.looseObject({ path: z.string(), content: z.string(), encoding: z.literal('base64').optional() }),
  }),
  z.object({
    key: z.literal('lfsFile'),
    value: z.looseObject({ path: z.string(), algo: z.literal('sha256'), oid: z.string() }),
  }),
  z.object({ key: z.literal('deletedFile'), value: z.looseObject({ path: z.string() }) }),
  z.object({ key: z.literal('deletedFolder'), value: z.looseObject({ path: z.string() }) }),
]);

/** Takes the lines of a commit, all or none. The reply has an empty `commitUrl`, as recorded. */
export async function commit(
  context: Context,
  store: DataStore,
  repo: Repo,
  revision: string,
): Promise<Response> {
  const lines = (await context.req.text()).split('\n').filter((line) => line !== '');
  const files = new Map<string, StoredFile>(repo.revisions.get(revision)?.files);
  for (const line of lines) {
    const parsed = Line.safeParse(JSON.parse(line));
    if (!parsed.success)
      return hubError(context, 400, `unknown commit line: ${line.slice(0, 80)}`, 'BadRequest');
    const refused = apply(store, files, parsed.data);
    if (refused !== null) return hubError(context, 400, refused, 'BadRequest');
  }
  const oid = newCommit();
  repo.revisions.set(revision, { commit: oid, files });
  return context.json({ success: true, commitUrl: '', commitOid: oid, hookOutput: '' });
}

function apply(store: DataStore, files: Map<string, StoredFile>, line: z.output<typeof Line>): string | null {
  switch (line.key) {
    case 'header':
      return null;
    case 'file':
      files.set(line.value.path, regularFile(Buffer.from(line.value.content, 'base64')));
      return null;
    case 'lfsFile': {
      const bytes = store.objects.get(line.value.oid);
      if (!bytes) return `LFS pointer pointed to a file that does not exist: ${line.value.path}`;
      files.set(line.value.path, { bytes, oid: line.value.oid, lfs: true });
      return null;
    }
    case 'deletedFile':
      files.delete(line.value.path);
      return null;
    case 'deletedFolder':
      for (const path of files.keys()) if (path.startsWith(line.value.path)) files.delete(path);
      return null;
  }
}
