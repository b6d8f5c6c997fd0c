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
import type { HyperparameterNames } from '../../domain/experiments/hyperparameter-names.ts';
import type { JsonObject } from '../../domain/json.ts';
import { type Client, createClient, type ProviderSettings } from './client.ts';
import { isMissingRoute } from './errors.ts';
import { EventPage, Job, JobList, SetAsideRows, UploadedFile, UploadedFiles } from './fine-tuning.schema.ts';
import { multipart } from './multipart.ts';

const lookupTimeoutMs = 30_000;
/**
 * The server encodes every row before it answers: minutes for ten thousand long ones on a busy CPU. Node's fetch
 * waits no longer for headers. A server that goes on with it has the job by then, and the next attempt finds it.
 */
const createTimeoutMs = 5 * 60_000;
/** A large dataset over a slow line. */
const uploadTimeoutMs = 10 * 60_000;
/** Newest first, so what a server lists beyond this is older than any run that is still open. */
const mostListed = 1000;
/** Enough events to reach behind the messages and the steps since the last validation. */
const readEvents = 50;

/**
 * Fine-tuning over OpenAI's files and jobs. The key travels twice: as `Idempotency-Key`, and in the metadata
 * (`flywheel_key`), where it can be searched on servers that do not know the header.
 */
export function createTrainer(
  settings: ProviderSettings & { readonly hyperparameters: HyperparameterNames },
  artifacts: Pick<ArtifactStore, 'readLines'>,
): Trainer {
  const client = createClient(settings);
  return {
    find: (key) => find(client, key),
    async launch(request) {
      return (
        (await find(client, request.key)) ?? create(client, artifacts, request, settings.hyperparameters)
      );
    },
    get: (jobId) => get(client, jobId),
    progress: (jobId) =>
      client.call({
        doing: `list the events of job ${jobId}`,
        timeoutMs: lookupTimeoutMs,
        reply: EventPage,
        send: (openai, options) =>
          openai.get(`/fine_tuning/jobs/${jobId}/events`, { ...options, query: { limit: readEvents } }),
      }),
    setAside: (jobId) => setAside(client, jobId),
    cancel: (jobId) => cancel(client, jobId),
  };
}

async function get(client: Client, jobId: string): Promise<TrainingJob> {
  const { job } = await client.call({
    doing: `retrieve job ${jobId}`,
    timeoutMs: lookupTimeoutMs,
    reply: Job,
    send: (openai, options) => openai.fineTuning.jobs.retrieve(jobId, options),
  });
  return job;
}

/** Should a server have made two jobs under one key all the same, the first is the job. */
async function find(client: Client, key: string): Promise<TrainingJob | null> {
  const jobs = await client.call({
    doing: 'list fine-tuning jobs',
    timeoutMs: lookupTimeoutMs,
    reply: JobList,
    send: (openai, options) =>
      collect(openai.fineTuning.jobs.list({ metadata: { flywheel_key: key }, limit: 100 }, options)),
  });
  const ours = jobs.filter((listed) => listed.key === key);
  return ours.sort((a, b) => a.createdAt - b.createdAt)[0]?.job ?? null;
}

async function create(
  client: Client,
  artifacts: Pick<ArtifactStore, 'readLines'>,
  request: FineTuneRequest,
  names: HyperparameterNames,
): Promise<TrainingJob> {
  const trainingFile = await upload(client, artifacts, request.train);
  const validationFile =
    request.validation.rows > 0 ? await upload(client, artifacts, request.validation) : undefined;
  const { job } = await client.call({
    doing: `create a fine-tuning job of ${request.baseModel}`,
    timeoutMs: createTimeoutMs,
    reply: Job,
    send: (openai, options) =>
      openai.post('/fine_tuning/jobs', {
        ...options,
        // The package sends no idempotency header of its own.
        headers: { 'Idempotency-Key': request.key },
        body: {
          model: request.baseModel,
          training_file: trainingFile,
          ...(validationFile === undefined ? {} : { validation_file: validationFile }),
          suffix: request.suffix,
          seed: request.seed,
          metadata: { ...request.metadata, flywheel_key: request.key },
          method: {
            type: 'supervised',
            supervised: { hyperparameters: toHyperparameters(request, names) },
          },
        },
      }),
  });
  return job;
}

/**
 * The artifact's file id. Files are named by content and looked for first: a launch is repeated while the
 * device is busy, and experiments share a dataset.
 */
async function upload(
  client: Client,
  artifacts: Pick<ArtifactStore, 'readLines'>,
  artifact: ArtifactRef,
): Promise<string> {
  const filename = `${artifact.sha256}.jsonl`;
  const uploaded = await findUpload(client, filename, artifact.bytes);
  if (uploaded !== undefined) return uploaded;
  const form = multipart({ purpose: 'fine-tune' }, { filename, lines: artifacts.readLines(artifact.uri) });
  const { id } = await client.call({
    doing: `take the upload ${filename}`,
    timeoutMs: uploadTimeoutMs,
    reply: UploadedFile,
    send: (openai, options) =>
      openai.post('/files', { ...options, headers: { 'Content-Type': form.contentType }, body: form.chunks }),
  });
  return id;
}

async function findUpload(client: Client, filename: string, bytes: number): Promise<string | undefined> {
  const files = await client.call({
    doing: 'list files',
    timeoutMs: lookupTimeoutMs,
    reply: UploadedFiles,
    send: (openai, options) => collect(openai.files.list({ purpose: 'fine-tune', limit: 100 }, options)),
  });
  // A file in `error` was refused by the server's validation; uploading it again brings the reason back.
  return files.find((file) => file.filename === filename && file.bytes === bytes && file.status !== 'error')
    ?.id;
}

async function collect(pages: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const item of pages) {
    if (found.push(item) >= mostListed) break;
  }
  return found;
}

/** Our model server's own; other servers do not have the route, and do not tell. */
async function setAside(client: Client, jobId: string): Promise<readonly SetAsideRow[]> {
  try {
    return await client.call({
      doing: `list the rows that job ${jobId} is not trained on`,
      timeoutMs: lookupTimeoutMs,
      reply: SetAsideRows,
      send: (openai, options) => openai.get(`/fine_tuning/jobs/${jobId}/set_aside`, options),
    });
  } catch (error) {
    if (isMissingRoute(error)) return [];
    throw error;
  }
}

/** The settings that the provider has a field for, each there. */
function toHyperparameters(
  { hyperparameters, maxSetAsideShare }: FineTuneRequest,
  names: HyperparameterNames,
): JsonObject {
  const settings = { ...hyperparameters, maxSetAsideShare };
  const body: JsonObject = {};
  for (const [setting, path] of Object.entries(names)) {
    const value = settings[setting as keyof HyperparameterNames];
    if (path === undefined || value === undefined) continue;
    const fields = path.split('.');
    const last = fields.pop() ?? path;
    let into = body;
    for (const field of fields) into = (into[field] ??= {}) as JsonObject;
    into[last] = typeof value === 'object' ? [...value] : value;
  }
  return body;
}

async function cancel(client: Client, jobId: string): Promise<void> {
  try {
    await client.call({
      doing: `cancel job ${jobId}`,
      timeoutMs: lookupTimeoutMs,
      reply: Job,
      send: (openai, options) => openai.fineTuning.jobs.cancel(jobId, options),
    });
  } catch (error) {
    // Servers refuse to cancel what has ended; that is what was wanted.
    if (error instanceof RejectedError && hasEnded(await get(client, jobId))) return;
    throw error;
  }
}
