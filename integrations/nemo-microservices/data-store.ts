import { createRepo, deleteRepo, HubApiError, listFiles, uploadFiles } from '@huggingface/hub';
import { z } from 'zod';
import { FlywheelError } from '../../domain/errors.ts';
import { unreachable } from '../http/errors.ts';
import { ifThere, isAbsent, isConflict, isConflictOfNamespace, toFlywheelError } from './errors.ts';
import type { NemoSettings } from './settings.ts';
import { createTransport, segment, type Transport } from './transport.ts';

/** A file to be stored in a repository. */
export interface Upload {
  /** Inside the repository, such as `training/<sha256>.jsonl`. */
  readonly path: string;
  /** Bytes, or the `file:` URL of a file that is read while it is sent. */
  readonly content: Blob | URL;
}

/** Datasets are ours; models are what Customizer wrote. */
export type RepoType = 'dataset' | 'model';

/** The Data Store: repositories of files in the Hugging Face hub's dialect. Repositories are `namespace/name`. */
export interface DataStore {
  /** Makes the namespace unless it is there. */
  ensureNamespace(namespace: string): Promise<void>;
  /** Makes the dataset repository unless it is there. */
  ensureRepo(repo: string): Promise<void>;
  /** Paths of the repository's files. Empty where there is no such repository. */
  list(repo: string): Promise<readonly string[]>;
  /** Stores files in one commit. */
  upload(repo: string, files: readonly Upload[]): Promise<void>;
  /** Harmless when it is gone. */
  deleteRepo(repo: string, type: RepoType): Promise<void>;
}

export function createDataStore(settings: NemoSettings): DataStore {
  const transport = createTransport(settings, settings.dataStoreUrl);
  const hubUrl = `${settings.dataStoreUrl.replace(/\/+$/, '')}/v1/hf`;
  const shared = (repo: string, type: RepoType = 'dataset') => ({
    repo: { type, name: repo },
    hubUrl,
    fetch: transport.fetch,
  });
  return {
    ensureNamespace: (namespace) => ensureNamespace(transport, namespace),
    async ensureRepo(repo) {
      const making = hub(transport, `make repository ${repo}`, () =>
        // No token: the package refuses those that do not begin with `hf_`; the transport adds ours.
        createRepo({ ...shared(repo), accessToken: '' }),
      );
      await making.catch((error: unknown) => {
        if (!isConflict(error)) throw error;
      });
    },
    async list(repo) {
      const listing = hub(transport, `list the files of ${repo}`, async () => {
        const paths: string[] = [];
        for await (const entry of listFiles({ ...shared(repo), recursive: true })) {
          if (entry.type === 'file') paths.push(entry.path);
        }
        return paths;
      });
      return (await ifThere(listing)) ?? [];
    },
    async upload(repo, files) {
      await hub(transport, `store files in ${repo}`, () =>
        uploadFiles({
          ...shared(repo),
          files: files.map(({ path, content }) => ({ path, content })),
          commitTitle: `Flywheel: ${files.length} files`,
          useXet: false,
        }),
      );
    },
    async deleteRepo(repo, type) {
      const deleting = hub(transport, `delete repository ${repo}`, () =>
        deleteRepo({ ...shared(repo, type), accessToken: '' }),
      );
      await ifThere(deleting);
    },
  };
}

/** Asked for first: a create is form-encoded, which nothing else here is, and mostly needless. */
async function ensureNamespace(transport: Transport, namespace: string): Promise<void> {
  const path = '/v1/datastore/namespaces';
  const doing = `make namespace ${namespace} in the Data Store`;
  try {
    await transport.json({ doing, method: 'GET', path: `${path}/${segment(namespace)}` }, z.unknown());
  } catch (error) {
    if (!isAbsent(error)) throw error;
    const body = new URLSearchParams({ namespace });
    const call = { doing, method: 'POST', path, body, repeatable: true } as const;
    await transport.json(call, z.unknown()).catch((refusal: unknown) => {
      if (!isConflictOfNamespace(refusal)) throw refusal;
    });
  }
}

/** One thing done by the package, its errors translated. */
async function hub<T>(transport: Transport, doing: string, act: () => Promise<T>): Promise<T> {
  const call = transport.nameOf(doing);
  try {
    return await act();
  } catch (error) {
    if (error instanceof FlywheelError) throw error;
    if (error instanceof HubApiError) {
      const text = JSON.stringify({ detail: error.message.replace(/\. URL: .*$/s, '') });
      const headers = new Headers(error.requestId ? { 'x-request-id': error.requestId } : {});
      throw toFlywheelError({ status: error.statusCode, headers, text }, call);
    }
    throw unreachable(error, call);
  }
}
