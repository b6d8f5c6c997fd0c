import { z } from 'zod';
import { unless } from './errors.ts';
import { madeBy, madeByDescription, type Reference } from './names.ts';
import { listAll } from './pages.ts';
import type { Transport } from './transport.ts';

/** A large dataset, or an adapter, over a slow line. */
const transferTimeoutMs = 10 * 60_000;
/** Smaller writes would cost a system call for each row. */
const chunkBytes = 64 * 1024;

const Fileset = z.object({
  name: z.string(),
  description: z.string().nullish(),
  created_at: z.string(),
  custom_fields: z.record(z.string(), z.unknown()).nullish(),
});
export type Fileset = z.output<typeof Fileset>;

const StoredFile = z.object({ path: z.string(), size: z.number() });
export type StoredFile = z.output<typeof StoredFile>;
const Files = z.object({ data: z.array(StoredFile) });

export interface FilesetUpload {
  readonly workspace: string;
  readonly fileset: string;
  /** Path within the fileset. */
  readonly path: string;
  readonly bytes: number;
  /** Without their newline. */
  readonly lines: AsyncIterable<string>;
  /** The run that asks for it; what makes the fileset notes the first. */
  readonly runId?: string | undefined;
}

/** `/apis/files/v2`: filesets and what is in them. */
export interface FilesClient {
  get(workspace: string, name: string): Promise<Fileset | null>;
  /** All of a workspace. */
  list(workspace: string): Promise<Fileset[]>;
  /** A fileset with this one file, made and filled unless it has the file whole already. */
  upload(upload: FilesetUpload): Promise<void>;
  /** What is in a fileset. */
  files(fileset: Reference): Promise<StoredFile[]>;
  /** A file's content, read while it arrives. */
  read(fileset: Reference, path: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  remove(workspace: string, name: string): Promise<void>;
}

export function createFilesClient(transport: Transport): FilesClient {
  return {
    get: (workspace, name) =>
      transport.find({
        doing: `look up fileset ${name}`,
        method: 'GET',
        path: pathOf(workspace, name),
        reply: Fileset,
      }),
    list: (workspace) => listAll(transport, { what: 'filesets', path: pathOf(workspace), item: Fileset }),
    upload: (upload) => uploadOnce(transport, upload),
    files: (fileset) => filesOf(transport, fileset),
    read: ({ workspace, name }, path, signal) =>
      transport.bytes({
        doing: `read ${path} of fileset ${name}`,
        method: 'GET',
        path: `${pathOf(workspace, name)}/-/${encodeURIComponent(path)}`,
        timeoutMs: transferTimeoutMs,
        ...(signal && { signal }),
      }),
    remove: async (workspace, name) => {
      await transport.find({
        doing: `remove fileset ${name}`,
        method: 'DELETE',
        path: pathOf(workspace, name),
        reply: z.unknown(),
      });
    },
  };
}

function pathOf(workspace: string, name?: string): string {
  const collection = `/apis/files/v2/workspaces/${encodeURIComponent(workspace)}/filesets`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}

/** A file that an earlier attempt left half written is told by its size, and written again. */
async function uploadOnce(transport: Transport, upload: FilesetUpload): Promise<void> {
  const { workspace, fileset, path, bytes } = upload;
  await ensureFileset(transport, upload);
  const stored = (await filesOf(transport, { workspace, name: fileset })).find((file) => file.path === path);
  if (stored?.size === bytes) return;
  await transport.call({
    doing: `take the upload ${fileset}/${path}`,
    method: 'PUT',
    path: `${pathOf(workspace, fileset)}/-/${encodeURIComponent(path)}`,
    stream: toChunks(upload.lines),
    timeoutMs: transferTimeoutMs,
    reply: StoredFile,
  });
}

async function filesOf(transport: Transport, { workspace, name }: Reference): Promise<StoredFile[]> {
  const { data } = await transport.call({
    doing: `list the files of ${name}`,
    method: 'GET',
    path: `${pathOf(workspace, name)}/files`,
    reply: Files,
  });
  return data;
}

async function ensureFileset(
  transport: Transport,
  { workspace, fileset: name, runId }: FilesetUpload,
): Promise<void> {
  const fields = { ...madeBy, ...(runId !== undefined && { run_id: runId }) };
  const making = transport.call({
    doing: `make fileset ${name}`,
    method: 'POST',
    path: pathOf(workspace),
    body: { name, description: madeByDescription, purpose: 'dataset', custom_fields: fields },
    reply: Fileset,
  });
  await unless('conflict', making);
}

async function* toChunks(lines: AsyncIterable<string>): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder();
  let text = '';
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < chunkBytes) continue;
    yield encoder.encode(text);
    text = '';
  }
  if (text !== '') yield encoder.encode(text);
}
