import { z } from 'zod';
import type { EvaluationJob } from '../../activities/ports/evaluator.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import { sha256 } from '../../domain/hash.ts';
import type { JsonObject } from '../../domain/json.ts';
import { shorten } from '../http/errors.ts';
import { unless } from './errors.ts';
import { Results } from './evaluations.schema.ts';
import { createFilesClient, type FilesClient } from './files.ts';
import { asLost, createJobsClient, type JobsClient, type SeenJob } from './jobs.ts';
import { createModelsClient, type ModelsClient } from './models.ts';
import { datasetName, jobName, madeByDescription, referenceText, toReference } from './names.ts';
import { openAiPath } from './openai-path.ts';
import type { NemoPlatformSettings } from './settings.ts';
import type { Transport } from './transport.ts';

const createTimeoutMs = 2 * 60_000;
const rowScores = 'row-scores';
const itemsFile = 'items.jsonl';

export interface NewJob {
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The model that it asks: `workspace/name`, or `name` in our workspace. */
  readonly model: string;
  readonly items: readonly JsonObject[];
  /** Its spec, once the items are a fileset. */
  readonly spec: (at: JobPlaces) => object;
}

export interface JobPlaces {
  /** `workspace/fileset#path`. */
  readonly dataset: string;
  /** `workspace/name`. */
  readonly model: string;
  /** The gateway's OpenAI root, ending in its version, as the job's process reaches it. */
  readonly gatewayUrl: string;
}

/** Jobs of the platform's evaluator, whatever they evaluate: one per key, its name made of it. */
export class EvaluationJobs {
  readonly #settings: NemoPlatformSettings;
  readonly #transport: Transport;
  readonly #kind: 'eval' | 'judge';
  readonly #jobs: JobsClient;
  readonly #files: FilesClient;
  readonly #models: ModelsClient;

  constructor(settings: NemoPlatformSettings, transport: Transport, kind: 'eval' | 'judge') {
    this.#settings = settings;
    this.#transport = transport;
    this.#kind = kind;
    this.#jobs = createJobsClient(settings, transport);
    this.#files = createFilesClient(transport);
    this.#models = createModelsClient(transport);
  }

  /** One at the most: its name is the key. */
  async findAll(key: string): Promise<EvaluationJob[]> {
    const job = await this.#jobs.look(jobName(this.#kind, key));
    return job === null ? [] : [await this.#toEvaluationJob(job)];
  }

  async launch(request: NewJob): Promise<EvaluationJob> {
    const name = jobName(this.#kind, request.key);
    const found = await this.#jobs.status(name);
    if (found) return this.#toEvaluationJob(found);
    const model = toReference(request.model, this.#settings.workspace);
    // Else the job would succeed, each of its rows without an answer.
    if (!(await this.#models.isRouted(model))) {
      throw new RejectedError(`${this.#settings.name} does not route ${referenceText(model)}.`, {
        code: 'model_not_found',
      });
    }
    const dataset = await this.#upload(request);
    const gatewayUrl = `${this.#settings.url}${openAiPath(model.workspace)}`;
    await this.#create({
      name,
      description: madeByDescription,
      custom_fields: { ...request.metadata, flywheel_key: request.key },
      spec: request.spec({ dataset, gatewayUrl, model: referenceText(model) }),
    });
    return this.get(name);
  }

  async get(jobId: string): Promise<EvaluationJob> {
    const job = await this.#jobs.status(jobId);
    if (job) return this.#toEvaluationJob(job);
    throw new RejectedError(`${this.#settings.name} has no job ${jobId}.`, { code: 'not_found' });
  }

  /** Of a job that succeeded. A row that is not of the form is one that the evaluator lost: it is left out. */
  async *rows<T>(jobId: string, row: z.ZodType<T>): AsyncIterable<T> {
    const lines = this.#transport.lines({
      doing: `read the rows of job ${jobId}`,
      method: 'GET',
      path: `${this.#pathOf(jobId)}/results/${rowScores}/download`,
      timeoutMs: createTimeoutMs,
    });
    for await (const line of lines) {
      if (line === '') continue;
      const parsed = row.safeParse(parseLine(line));
      if (parsed.success) yield parsed.data;
    }
  }

  cancel(jobId: string): Promise<void> {
    return this.#jobs.cancel(jobId);
  }

  get #collection(): string {
    return `/apis/evaluator/v2/workspaces/${encodeURIComponent(this.#settings.workspace)}/evaluate/jobs`;
  }

  #pathOf(jobId: string): string {
    return `${this.#collection}/${encodeURIComponent(jobId)}`;
  }

  async #upload({ items, metadata }: NewJob): Promise<string> {
    const { workspace } = this.#settings;
    const lines = items.map((item) => JSON.stringify(item));
    const text = lines.map((line) => `${line}\n`).join('');
    const fileset = datasetName(sha256(text));
    await this.#files.upload({
      ...{ workspace, fileset, path: itemsFile, bytes: Buffer.byteLength(text) },
      lines: eachOf(lines),
      runId: metadata['run_id'],
    });
    return `${workspace}/${fileset}#${itemsFile}`;
  }

  async #create(body: object): Promise<void> {
    const creating = this.#transport.call({
      doing: 'create an evaluation job',
      method: 'POST',
      path: this.#collection,
      body,
      timeoutMs: createTimeoutMs,
      reply: z.unknown(),
    });
    // Whoever was quicker, or an attempt of ours that got no answer: the name is the key.
    await unless('conflict', creating);
  }

  async #toEvaluationJob(job: SeenJob): Promise<EvaluationJob> {
    const id = job.name;
    if (job.lost || job.givenUp) {
      // Its process may have outlived the platform's restart, and have stored everything since.
      if (await this.#hasResults(id)) return { id, status: 'succeeded', error: null, errorRetryable: false };
      if (job.lost) await this.#jobs.giveUp(id);
      return { id, ...asLost(id) };
    }
    switch (job.status) {
      case 'completed':
        return { id, status: 'succeeded', error: null, errorRetryable: false };
      case 'cancelled':
        return { id, status: 'cancelled', error: null, errorRetryable: false };
      case 'error':
        return {
          ...{ id, status: 'failed', errorRetryable: false },
          error: job.timeLimit ?? (await this.#reasonOf(job)),
        };
      case 'created':
      case 'pending':
        return { id, status: 'queued', error: null, errorRetryable: false };
      default:
        return { id, status: 'running', error: null, errorRetryable: false };
    }
  }

  async #hasResults(jobId: string): Promise<boolean> {
    const results = await this.#transport.find({
      doing: `list the results of job ${jobId}`,
      method: 'GET',
      path: `${this.#pathOf(jobId)}/results`,
      reply: Results,
    });
    return results?.includes(rowScores) ?? false;
  }

  /** The platform knows an exit code; the last line of the log says what happened. */
  async #reasonOf({ name, error }: SeenJob): Promise<string> {
    const lines = await this.#jobs.log(name, 200).catch((failure: unknown) => {
      if (failure instanceof UnavailableError || failure instanceof RejectedError) return [];
      throw failure;
    });
    const last = lines.findLast((line) => /error|exception/i.test(line));
    // A line of a log may be a whole row.
    return [error ?? 'the platform gives no reason', last]
      .flatMap((part) => (part ? [shorten(part, this.#settings.apiKey)] : []))
      .join(': ');
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

async function* eachOf(lines: readonly string[]): AsyncIterable<string> {
  yield* lines;
}
