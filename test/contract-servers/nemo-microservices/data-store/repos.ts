import { createHash, randomBytes } from 'node:crypto';

export interface StoredFile {
  readonly bytes: Buffer;
  /** Git's hash of a regular file, sha256 of an LFS file. */
  readonly oid: string;
  readonly lfs: boolean;
}

export interface Revision {
  readonly commit: string;
  readonly files: ReadonlyMap<string, StoredFile>;
}

/** One Git repository with LFS: what each branch or tag holds now. */
export interface Repo {
  readonly type: 'dataset' | 'model';
  /** `namespace/name`. */
  readonly id: string;
  readonly revisions: Map<string, Revision>;
}

/** What the Data Store keeps, in memory. */
export interface DataStore {
  readonly namespaces: Map<string, { namespace: string; created_at: string; updated_at: string }>;
  /** By `type:namespace/name`. */
  readonly repos: Map<string, Repo>;
  /** LFS objects by sha256. */
  readonly objects: Map<string, Buffer>;
}

export function createDataStore(): DataStore {
  return { namespaces: new Map(), repos: new Map(), objects: new Map() };
}

export function newRepo(type: Repo['type'], id: string): Repo {
  return { type, id, revisions: new Map([['main', { commit: newCommit(), files: new Map() }]]) };
}

export function newCommit(): string {
  return randomBytes(20).toString('hex');
}

export function regularFile(bytes: Buffer): StoredFile {
  const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  return { bytes, oid, lfs: false };
}

/** `hf://datasets/ns/name[/path]`, `hf://ns/name@rev` and the older `nds:` forms. */
function readFilesUrl(url: string): { repo: string; revision: string; path: string } | null {
  const match = /^(?:hf|nds):\/\/(?:(datasets|models)\/)?([^/]+)\/([^/@]+)(?:@([^/]+))?(?:\/(.*))?$/.exec(
    url,
  );
  if (!match) return null;
  const [, kind, namespace, name, revision = 'main', path = ''] = match;
  return { repo: `${kind === 'datasets' ? 'dataset' : 'model'}:${namespace}/${name}`, revision, path };
}

/** Files of a revision below a path, by path; the file itself where the path names one. */
export function filesAt(store: DataStore, filesUrl: string): ReadonlyMap<string, StoredFile> | null {
  const where = readFilesUrl(filesUrl);
  const files = where && store.repos.get(where.repo)?.revisions.get(where.revision)?.files;
  if (!where || !files) return null;
  const { path } = where;
  return new Map([...files].filter(([name]) => path === '' || name === path || name.startsWith(`${path}/`)));
}
