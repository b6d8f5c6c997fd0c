import type { ArtifactStore } from '../../activities/ports/artifact-store.ts';
import type {
  FineTuneRequest,
  SetAsideRow,
  Trainer,
  TrainingJob,
  TrainingStatus,
} from '../../activities/ports/trainer.ts';
import type { ArtifactRef } from '../../domain/datasets/dataset.ts';
import { RejectedError } from '../../domain/errors.ts';
import { shorten } from '../http/errors.ts';
import { sharedByKey } from '../http/shared-by-key.ts';
import { SetAsideRows } from '../openai/fine-tuning.schema.ts';
import { CreatedJob, Outcome, Progress, waitingPhases } from './customization.schema.ts';
import { backends, maxSeqLengthOf, toJobBody } from './customization.ts';
import { unless } from './errors.ts';
import { createFilesClient, type FilesClient } from './files.ts';
import { asLost, createJobsClient, type JobsClient, type SeenJob } from './jobs.ts';
import type { ModelEntity } from './models.schema.ts';
import { createModelsClient, type ModelsClient } from './models.ts';
import { datasetName, jobName, type Reference, referenceText, toReference } from './names.ts';
import { customizerOf, type NemoPlatformSettings } from './settings.ts';
import { checkedRows } from './training-rows.ts';
import { createTransport, type Transport } from './transport.ts';

type RowSource = Pick<ArtifactStore, 'readLines'>;

/** A backend checks model and datasets before it accepts a job. */
const createTimeoutMs = 2 * 60_000;
/** What the plug-in says when the training itself was not at fault. */
const retryableFailures: ReadonlySet<string> = new Set([
  'unreachable',
  'server_restarted',
  'server_error',
  'trainer_died',
]);

/**
 * Fine-tuning by the platform's customization jobs: datasets become filesets, a job's name is its key, and the
 * adapter is an entry at its base model, which `createDeployer` routes to.
 *
 * A job without a sign of life is reported failed and worth repeating: after a restart the platform says `active`
 * of it for ever. It is cancelled first, so that it does not come back.
 */
export function createTrainer(settings: NemoPlatformSettings, artifacts: RowSource): Trainer {
  const transport = createTransport(settings);
  const trainer = new NemoTrainer(settings, transport, artifacts);
  return {
    findAll: (key) => trainer.findAll(key),
    launch: sharedByKey((request) => trainer.launch(request)),
    get: (jobId) => trainer.get(jobId),
    progress: (jobId) => trainer.progress(jobId),
    setAside: (jobId) => trainer.setAside(jobId),
    cancel: (jobId) => trainer.cancel(jobId),
  };
}

class NemoTrainer {
  readonly #settings: NemoPlatformSettings;
  readonly #transport: Transport;
  readonly #artifacts: RowSource;
  readonly #jobs: JobsClient;
  readonly #files: FilesClient;
  readonly #models: ModelsClient;

  constructor(settings: NemoPlatformSettings, transport: Transport, artifacts: RowSource) {
    this.#settings = settings;
    this.#transport = transport;
    this.#artifacts = artifacts;
    this.#jobs = createJobsClient(settings, transport);
    this.#files = createFilesClient(transport);
    this.#models = createModelsClient(transport);
  }

  /** One at the most: its name is the key. */
  async findAll(key: string): Promise<TrainingJob[]> {
    const job = await this.#jobs.look(jobName('tune', key));
    return job === null ? [] : [await this.#toTrainingJob(job)];
  }

  async launch(request: FineTuneRequest): Promise<TrainingJob> {
    const found = await this.#jobs.status(jobName('tune', request.key));
    if (found) return this.#toTrainingJob(found);
    const model = toReference(request.baseModel, this.#settings.workspace);
    const entity = await this.#requireModel(model);
    const maxSeqLength = maxSeqLengthOf(this.#settings, entity);
    const train = await this.#upload(request.train, request);
    const validation = request.validation.rows > 0 ? await this.#upload(request.validation, request) : null;
    const data = { model, train, validation, maxSeqLength };
    await this.#create(toJobBody(request, data, this.#customizer), model);
    return this.get(jobName('tune', request.key));
  }

  async get(jobId: string): Promise<TrainingJob> {
    return this.#toTrainingJob(await this.#require(jobId));
  }

  async progress(jobId: string) {
    const parsed = Progress.safeParse((await this.#require(jobId)).told);
    return parsed.success ? parsed.data : null;
  }

  /** The plug-in lays it down once the model server has accepted the rows, if there is any. */
  async setAside(jobId: string): Promise<readonly SetAsideRow[]> {
    if (!backends[this.#customizer].setsAside) return [];
    const rows = await this.#transport.find({
      doing: `list the rows that job ${jobId} is not trained on`,
      method: 'GET',
      path: `${this.#collection}/${encodeURIComponent(jobId)}/results/set-aside/download`,
      reply: SetAsideRows,
    });
    return (rows ?? []).map((row) => ({ ...row, detail: shorten(row.detail, this.#settings.apiKey) }));
  }

  cancel(jobId: string): Promise<void> {
    return this.#jobs.cancel(jobId);
  }

  get #customizer() {
    return customizerOf(this.#settings);
  }

  get #collection(): string {
    const { workspace } = this.#settings;
    const { path } = backends[this.#customizer];
    return `/apis/customization/v2/workspaces/${encodeURIComponent(workspace)}/${path}/jobs`;
  }

  async #require(jobId: string): Promise<SeenJob> {
    const job = await this.#jobs.status(jobId);
    if (job) return job;
    throw new RejectedError(`${this.#settings.name} has no job ${jobId}.`, { code: 'not_found' });
  }

  async #requireModel(model: Reference): Promise<ModelEntity> {
    const entity = await this.#models.entity(model);
    if (entity) return entity;
    throw new RejectedError(
      `${this.#settings.name} has no model ${referenceText(model)}; a model entity of that name has to be made there.`,
      { code: 'model_not_found' },
    );
  }

  async #upload(artifact: ArtifactRef, { metadata }: FineTuneRequest): Promise<Reference> {
    const { workspace } = this.#settings;
    const name = datasetName(artifact.sha256);
    const lines = () => checkedRows(this.#artifacts.readLines(artifact.uri));
    // Read through once before anything is made: a bad row leaves nothing behind.
    for await (const _ of lines());
    await this.#files.upload({
      ...{ workspace, fileset: name, path: 'training.jsonl' },
      bytes: artifact.bytes,
      lines: lines(),
      runId: metadata['run_id'],
    });
    return { workspace, name };
  }

  async #create(body: ReturnType<typeof toJobBody>, model: Reference): Promise<void> {
    const creating = this.#transport.call({
      doing: `create a customization job of ${referenceText(model)}`,
      method: 'POST',
      path: this.#collection,
      body,
      timeoutMs: createTimeoutMs,
      reply: CreatedJob,
    });
    // Whoever was quicker, or an attempt of ours that got no answer: the name is the key.
    await unless('conflict', creating);
  }

  async #toTrainingJob(job: SeenJob): Promise<TrainingJob> {
    const outcome = Outcome.parse(job.told);
    const base = { id: job.name, trainSeconds: outcome.train_seconds ?? null };
    if (job.lost) await this.#jobs.giveUp(job.name);
    if (job.lost || job.givenUp) return { ...base, model: null, ...asLost(job.name) };
    const status = toStatus(job.status, outcome.phase);
    if (status === 'succeeded') {
      return { ...base, status, model: await this.#adapterOf(job.name), error: null, errorRetryable: false };
    }
    if (status !== 'failed') return { ...base, status, model: null, error: null, errorRetryable: false };
    return { ...base, status, model: null, ...this.#failure(job, outcome.failure) };
  }

  async #adapterOf(name: string): Promise<string> {
    const { spec } = await this.#transport.call({
      doing: `retrieve job ${name}`,
      method: 'GET',
      path: `${this.#collection}/${encodeURIComponent(name)}`,
      reply: CreatedJob,
    });
    return referenceText({ workspace: this.#settings.workspace, name: spec.output.name });
  }

  #failure(job: SeenJob, told: { code: string; message: string } | undefined) {
    // Trained anew it would run into the limit again, unless the training went on without its job.
    if (job.timeLimit !== null)
      return { error: job.timeLimit, errorRetryable: backends[this.#customizer].adopts };
    return {
      error: told === undefined ? job.error : shorten(told.message, this.#settings.apiKey),
      errorRetryable: told !== undefined && retryableFailures.has(told.code),
    };
  }
}

const statuses: Readonly<Record<string, TrainingStatus>> = {
  created: 'queued',
  pending: 'queued',
  completed: 'succeeded',
  error: 'failed',
  cancelled: 'cancelled',
};

/** A status that we do not know, and those on the way to an end (`cancelling`), have not ended. */
function toStatus(status: string, phase: string | undefined): TrainingStatus {
  return statuses[status] ?? (waitingPhases.includes(phase) ? 'queued' : 'running');
}
