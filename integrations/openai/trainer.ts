import { CursorPage } from 'openai/pagination';
import { z } from 'zod';
import type { ArtifactStore } from '../../activities/ports/artifact-store.ts';
import {
  type FineTuneRequest,
  hasEnded,
  type SetAsideRow,
  type Trainer,
  type TrainingJob,
} from '../../activities/ports/trainer.ts';
import type { ArtifactRef } from '../../domain/datasets/dataset.ts';
import { RejectedError } from '../../domain/errors.ts';
import type { FineTuningDialect } from '../../domain/experiments/fine-tuning-dialect.ts';
import { sha256 } from '../../domain/hash.ts';
import { isJsonObject } from '../../domain/json.ts';
import { shorten, tidied } from '../http/errors.ts';
import { createLauncher, jobsOf, type Service } from '../http/launch-once.ts';
import { type Client, createClient, type ProviderSettings } from './client.ts';
import { isMissingRoute } from './errors.ts';
import {
  EventPage,
  type Job,
  jobOf,
  SetAsideRows,
  UploadedFile,
  UploadedFiles,
} from './fine-tuning.schema.ts';
import { toJobBody } from './job-body.ts';
import { multipart } from './multipart.ts';

const lookupTimeoutMs = 30_000;
/**
 * The server encodes every row before it answers: minutes for ten thousand long ones on a busy CPU. Node's fetch
 * waits no longer for headers. A server that goes on with it mostly has the job by then, and the next attempt finds
 * it; one that makes it later still has made a second, which is ended with the training.
 */
const createTimeoutMs = 5 * 60_000;
/** A large dataset over a slow line. */
const uploadTimeoutMs = 10 * 60_000;
/** Newest first, so what a server lists beyond this is older than any run that is still open. */
const mostListed = 1000;
/** Enough events to reach behind the messages and the steps since the last validation. */
const readEvents = 50;

/**
 * Fine-tuning over OpenAI's files and jobs, in the server's own dialect of them. The key travels twice: as
 * `Idempotency-Key`, and in the metadata (`flywheel_key`), where it can be searched on servers that do not know the
 * header, or as the training file's name on those without metadata. Few services know the header, so that each
 * create is looked after (`createLauncher`).
 */
export function createTrainer(
  settings: ProviderSettings & { readonly dialect: FineTuningDialect },
  artifacts: Pick<ArtifactStore, 'readLines'>,
): Trainer {
  const client = createClient(settings);
  const { dialect } = settings;
  const reply = jobOf(dialect).transform((found) => ({ ...found, job: tidied(found.job, settings.apiKey) }));
  const context: Context = { client, dialect, reply, artifacts };
  const service: Service<FineTuneRequest, TrainingJob> = {
    findAll: (key) => findAll(context, key),
    create: (request) => create(context, request),
    cancel: (jobId) => cancel(context, jobId),
  };
  return {
    findAll: (key) => jobsOf(service, key),
    launch: createLauncher(service),
    get: (jobId) => get(context, jobId),
    progress: (jobId) =>
      client.call({
        doing: `list the events of job ${jobId}`,
        timeoutMs: lookupTimeoutMs,
        reply: EventPage,
        send: (openai, options) =>
          openai.get(pathOf(dialect, jobId, 'events'), { ...options, query: { limit: readEvents } }),
      }),
    setAside: async (jobId) =>
      (await setAside(context, jobId)).map((row) => ({
        ...row,
        detail: shorten(row.detail, settings.apiKey),
      })),
    cancel: service.cancel,
  };
}

interface Context {
  readonly client: Client;
  readonly dialect: FineTuningDialect;
  /** A job, its error without the key that was sent. */
  readonly reply: z.ZodType<Job>;
  readonly artifacts: Pick<ArtifactStore, 'readLines'>;
}

function pathOf({ jobsPath }: FineTuningDialect, jobId: string, ...below: readonly string[]): string {
  return [jobsPath, encodeURIComponent(jobId), ...below].join('/');
}

async function get({ client, dialect, reply }: Context, jobId: string): Promise<TrainingJob> {
  const { job } = await client.call({
    doing: `retrieve job ${jobId}`,
    timeoutMs: lookupTimeoutMs,
    reply,
    send: (openai, options) => openai.get(pathOf(dialect, jobId), options),
  });
  return job;
}

async function findAll(context: Context, key: string): Promise<Job[]> {
  const isOurs = await ownJobs(context, key);
  return isOurs === null ? [] : (await listJobs(context, key)).filter(isOurs);
}

/** How a job under the key is told from others; null where there can be none. */
async function ownJobs({ client, dialect }: Context, key: string): Promise<((job: Job) => boolean) | null> {
  if (dialect.metadata !== null) return (job) => job.key === key;
  const files = (await listFiles(client, dialect)).filter(({ filename }) => filename === fileOf(key));
  const ids = new Set(files.map(({ id }) => id));
  return ids.size === 0 ? null : ({ trainingFile }) => ids.has(trainingFile);
}

function listJobs({ client, dialect, reply }: Context, key: string): Promise<Job[]> {
  const { jobsPath, metadata, filtersByMetadata } = dialect;
  const filter = metadata !== null && filtersByMetadata && { metadata: { flywheel_key: key } };
  return client.call({
    doing: 'list fine-tuning jobs',
    timeoutMs: lookupTimeoutMs,
    reply: z.array(reply),
    send: (openai, options) =>
      collect(openai.getAPIList(jobsPath, CursorPage, { ...options, query: { ...filter, limit: 100 } })),
  });
}

/** Of a training file that is its job's own: by it the job is found again. */
function fileOf(key: string): string {
  return `flywheel-${sha256(key).slice(0, 32)}.jsonl`;
}

async function create(context: Context, request: FineTuneRequest): Promise<TrainingJob> {
  const { client, dialect, reply } = context;
  const named = (artifact: ArtifactRef) => `${artifact.sha256}.jsonl`;
  const trainName = dialect.metadata === null ? fileOf(request.key) : named(request.train);
  const train = await upload(context, request.train, trainName);
  const validation =
    request.validation.rows > 0
      ? await upload(context, request.validation, named(request.validation))
      : undefined;
  const { job } = await client.call({
    doing: `create a fine-tuning job of ${request.baseModel}`,
    timeoutMs: createTimeoutMs,
    reply,
    send: (openai, options) =>
      openai.post(dialect.jobsPath, {
        ...options,
        // The package sends no idempotency header of its own.
        headers: { 'Idempotency-Key': request.key },
        body: toJobBody(request, { train, validation }, dialect),
      }),
  });
  return job;
}

/**
 * States of a file that no job can be made of. One in `error` was refused by the server's validation; uploading it
 * again brings the reason back.
 */
const unusable: ReadonlySet<string> = new Set(['error', 'deleting', 'deleted']);

/**
 * The artifact's file id. Files are named, by content or by key, and looked for first: a launch is repeated while
 * the device is busy, and experiments share a dataset.
 */
async function upload(
  { client, dialect, artifacts }: Context,
  artifact: ArtifactRef,
  filename: string,
): Promise<string> {
  const files = await listFiles(client, dialect);
  const uploaded = files.find(
    ({ filename: name, bytes, status }) =>
      name === filename && bytes === artifact.bytes && !unusable.has(status ?? ''),
  );
  if (uploaded !== undefined) return uploaded.id;
  const { purpose } = dialect;
  const form = multipart({ purpose }, { filename, lines: artifacts.readLines(artifact.uri) });
  const { id } = await client.call({
    doing: `take the upload ${filename}`,
    timeoutMs: uploadTimeoutMs,
    reply: UploadedFile,
    send: (openai, options) =>
      openai.post('/files', { ...options, headers: { 'Content-Type': form.contentType }, body: form.chunks }),
  });
  return id;
}

function listFiles(client: Client, { purpose }: FineTuningDialect): Promise<UploadedFile[]> {
  return client.call({
    doing: 'list files',
    timeoutMs: lookupTimeoutMs,
    reply: UploadedFiles,
    send: (openai, options) => collect(openai.files.list({ purpose, limit: 100 }, options)),
  });
}

/** Ends where a server begins anew: one that pays no heed to where a page should begin would never end. */
async function collect(pages: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  const ids = new Set<unknown>();
  for await (const item of pages) {
    const id = isJsonObject(item) ? item['id'] : undefined;
    if (ids.has(id)) break;
    ids.add(id);
    if (found.push(item) >= mostListed) break;
  }
  return found;
}

/** Our model server's own; other servers do not have the route, and do not tell. */
async function setAside({ client, dialect }: Context, jobId: string): Promise<readonly SetAsideRow[]> {
  try {
    return await client.call({
      doing: `list the rows that job ${jobId} is not trained on`,
      timeoutMs: lookupTimeoutMs,
      reply: SetAsideRows,
      send: (openai, options) => openai.get(pathOf(dialect, jobId, 'set_aside'), options),
    });
  } catch (error) {
    if (isMissingRoute(error)) return [];
    throw error;
  }
}

async function cancel(context: Context, jobId: string): Promise<void> {
  const { client, dialect, reply } = context;
  try {
    await client.call({
      doing: `cancel job ${jobId}`,
      timeoutMs: lookupTimeoutMs,
      reply,
      send: (openai, options) => openai.post(pathOf(dialect, jobId, 'cancel'), options),
    });
  } catch (error) {
    // Servers refuse to cancel what has ended; that is what was wanted.
    if (error instanceof RejectedError && hasEnded(await get(context, jobId))) return;
    throw error;
  }
}
