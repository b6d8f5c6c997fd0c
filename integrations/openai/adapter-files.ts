import { z } from 'zod';
import type {
  AdapterFile,
  AdapterFiles,
  AdapterListing,
  Probe,
} from '../../activities/ports/adapter-files.ts';
import { NotFoundError, RejectedError } from '../../domain/errors.ts';
import { type Client, createClient, type ProviderSettings } from './client.ts';
import { isMissingRoute, toFlywheelError } from './errors.ts';

/** The server hashes every file before it answers; gigabytes take a minute. */
const listTimeoutMs = 5 * 60_000;
/** The adapter of a large model over a slow line. */
const readTimeoutMs = 60 * 60_000;

const File = z.object({
  name: z.string().regex(/^[\w][\w.-]*$/, 'not a plain file name'),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
}) satisfies z.ZodType<AdapterFile>;

const Listing = z
  .object({
    data: z.array(File),
    base: z.object({ id: z.string(), hub_id: z.string().nullable(), data: z.array(File) }),
  })
  .transform(({ data, base }): AdapterListing | null => ({
    files: data,
    base: { id: base.id, hubId: base.hub_id, files: base.data },
  }));

/** Our model server's own extension; other servers of the dialect do not hand out weights. */
export function createAdapterFiles(settings: ProviderSettings): AdapterFiles {
  const client = createClient(settings);
  return {
    list: (model) => list(client, model),
    probes: (model) => probes(client, model),
    read: (file) => read(client, settings, file),
  };
}

async function list(client: Client, model: string): Promise<AdapterListing | null> {
  try {
    return await client.call({
      doing: `list the files of ${model}`,
      timeoutMs: listTimeoutMs,
      reply: Listing,
      send: (openai, options) => openai.get(`${pathOf(model)}/files`, options),
    });
  } catch (error) {
    if (isMissingRoute(error)) return null;
    throw asNotFound(error);
  }
}

const Probes = z
  .object({
    data: z.array(
      z.object({ prompt: z.array(z.int()), answer: z.array(z.int()).min(1), logprobs: z.array(z.number()) }),
    ),
  })
  .transform(({ data }): readonly Probe[] => data);

async function probes(client: Client, model: string): Promise<readonly Probe[]> {
  try {
    return await client.call({
      doing: `read the probes of ${model}`,
      timeoutMs: listTimeoutMs,
      reply: Probes,
      send: (openai, options) => openai.get(`${pathOf(model)}/probes`, options),
    });
  } catch (error) {
    if (isMissingRoute(error)) return [];
    throw asNotFound(error);
  }
}

async function* read(
  client: Client,
  { name: provider, apiKey }: ProviderSettings,
  { model, of, name, signal }: Parameters<AdapterFiles['read']>[0],
): AsyncGenerator<Uint8Array> {
  const folder = of === 'base' ? 'base-files' : 'files';
  const doing = `read ${name} of ${model}`;
  const response = await client
    .call({
      doing,
      timeoutMs: readTimeoutMs,
      signal,
      reply: z.instanceof(Response),
      send: (openai, options) =>
        openai.get(`${pathOf(model)}/${folder}/${encodeURIComponent(name)}`, {
          ...options,
          __binaryResponse: true,
        }),
    })
    .catch((error: unknown) => {
      throw asNotFound(error);
    });
  try {
    for await (const chunk of response.body ?? []) yield chunk as Uint8Array;
  } catch (error) {
    signal.throwIfAborted();
    throw toFlywheelError(error, { provider, doing, apiKey });
  }
}

/** Names of hub models hold slashes, which the server takes as they are. */
function pathOf(model: string): string {
  return `/adapters/${model.split('/').map(encodeURIComponent).join('/')}`;
}

function asNotFound(error: unknown): unknown {
  const codes = ['model_not_found', 'file_not_found'];
  return error instanceof RejectedError && codes.includes(error.code ?? '')
    ? new NotFoundError(error.message)
    : error;
}
