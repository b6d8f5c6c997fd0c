import { z } from 'zod';
import type {
  EvaluatedRow,
  EvaluationJob,
  EvaluationJobRequest,
  Evaluator,
} from '../../activities/ports/evaluator.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import { sha256 } from '../../domain/hash.ts';
import { sharedByKey } from '../http/shared-by-key.ts';
import { type EvaluatorJudge, toItem, toSpec } from './evaluation-spec.ts';
import { Results, ScoredRow } from './evaluations.schema.ts';
import { createFilesClient, type FilesClient } from './files.ts';
import { createJobsClient, type JobsClient, type SeenJob } from './jobs.ts';
import { createModelsClient, type ModelsClient } from './models.ts';
import { datasetName, jobName, referenceText, toReference } from './names.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport, type Transport } from './transport.ts';

const createTimeoutMs = 2 * 60_000;
const rowScores = 'row-scores';
const itemsFile = 'items.jsonl';

/**
 * The platform's evaluator: items become a fileset, a job asks and scores them by tool calling (rows whose target
 * is calls) or string check (text), and by a judge where one is given. A score that came out NaN is null.
 */
export function createEvaluator(
  settings: NemoPlatformSettings,
  judge: EvaluatorJudge | null = null,
): Evaluator {
  const evaluator = new NemoEvaluator(settings, createTransport(settings), judge);
  return {
    find: (key) => evaluator.find(key),
    launch: sharedByKey((request) => evaluator.launch(request)),
    get: (jobId) => evaluator.get(jobId),
    results: (jobId) => evaluator.results(jobId),
    cancel: (jobId) => evaluator.cancel(jobId),
  };
}

class NemoEvaluator {
  readonly #settings: NemoPlatformSettings;
  readonly #transport: Transport;
  readonly #judge: EvaluatorJudge | null;
  readonly #jobs: JobsClient;
  readonly #files: FilesClient;
  readonly #models: ModelsClient;

  constructor(settings: NemoPlatformSettings, transport: Transport, judge: EvaluatorJudge | null) {
    this.#settings = settings;
    this.#transport = transport;
    this.#judge = judge;
    this.#jobs = createJobsClient(settings, transport);
    this.#files = createFilesClient(transport);
    this.#models = createModelsClient(transport);
  }

  async find(key: string): Promise<EvaluationJob | null> {
    const job = await this.#jobs.status(jobName('eval', key));
    return job && this.#toEvaluationJob(job);
  }

  async launch(request: EvaluationJobRequest): Promise<EvaluationJob> {
    const found = await this.find(request.key);
    if (found) return found;
    const { workspace } = this.#settings;
    const model = toReference(request.model, workspace);
    // Else the job would succeed, each of its rows without an answer.
    if (!(await this.#models.isRouted(model))) {
      throw new RejectedError(`${this.#settings.name} does not route ${referenceText(model)}.`, {
        code: 'model_not_found',
      });
    }
    const dataset = await this.#upload(request);
    const gatewayUrl = `${this.#settings.url}/apis/inference-gateway/v2/workspaces/${model.workspace}/openai/-/v1`;
    const options = { dataset, gatewayUrl, model: referenceText(model), judge: this.#judge };
    await this.#create({
      name: jobName('eval', request.key),
      description: 'Made by Flywheel.',
      custom_fields: { ...request.metadata, flywheel_key: request.key },
      spec: toSpec(options),
    });
    return this.get(jobName('eval', request.key));
  }

  async get(jobId: string): Promise<EvaluationJob> {
    const job = await this.#jobs.status(jobId);
    if (job) return this.#toEvaluationJob(job);
    throw new RejectedError(`${this.#settings.name} has no job ${jobId}.`, { code: 'not_found' });
  }

  async *results(jobId: string): AsyncIterable<EvaluatedRow> {
    const lines = this.#transport.lines({
      doing: `read the rows of job ${jobId}`,
      method: 'GET',
      path: `${this.#pathOf(jobId)}/results/${rowScores}/download`,
      timeoutMs: createTimeoutMs,
    });
    for await (const line of lines) {
      if (line === '') continue;
      const parsed = ScoredRow.safeParse(parseLine(line));
      // A row that cannot be read is one that the evaluator lost: its caller counts it so.
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

  async #upload({ rows }: EvaluationJobRequest): Promise<string> {
    const { workspace } = this.#settings;
    const lines = rows.map((row) => JSON.stringify(toItem(row)));
    const text = lines.map((line) => `${line}\n`).join('');
    const fileset = datasetName(sha256(text));
    await this.#files.upload({
      ...{ workspace, fileset, path: itemsFile, bytes: Buffer.byteLength(text) },
      lines: eachOf(lines),
    });
    return `${workspace}/${fileset}#${itemsFile}`;
  }

  async #create(body: object): Promise<void> {
    try {
      await this.#transport.call({
        doing: 'create an evaluation job',
        method: 'POST',
        path: this.#collection,
        body,
        timeoutMs: createTimeoutMs,
        reply: z.unknown(),
      });
    } catch (error) {
      // Whoever was quicker, or an attempt of ours that got no answer: the name is the key.
      if (!(error instanceof RejectedError) || error.code !== 'conflict') throw error;
    }
  }

  async #toEvaluationJob(job: SeenJob): Promise<EvaluationJob> {
    const id = job.name;
    if (job.lost) {
      // Its process may have outlived the platform's restart, and have stored everything since.
      if (await this.#hasResults(id)) return { id, status: 'succeeded', error: null, errorRetryable: false };
      await this.#jobs.cancel(id);
      const error = `The platform lost job ${id}: nothing was heard of it for too long.`;
      return { id, status: 'failed', error, errorRetryable: true };
    }
    switch (job.status) {
      case 'completed':
        return { id, status: 'succeeded', error: null, errorRetryable: false };
      case 'cancelled':
        return { id, status: 'cancelled', error: null, errorRetryable: false };
      case 'error':
        return { id, status: 'failed', error: await this.#reasonOf(job), errorRetryable: false };
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
    return [error ?? 'the platform gives no reason', last].filter(Boolean).join(': ');
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
