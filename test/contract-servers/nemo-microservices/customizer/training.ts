import { setTimeout as pause } from 'node:timers/promises';
import { isJsonObject, type JsonObject } from '../../../../domain/json.ts';
import { newCommit, newRepo, regularFile } from '../data-store/repos.ts';
import { ModelServerError } from '../model-server.ts';
import { text } from '../text.ts';
import type { World } from '../world.ts';
import { toModelServer } from './hyperparameters.ts';
import { type CustomizationJob, log, setStatus } from './job.ts';
import { DatasetError, readRows, type TrainingRows } from './rows.ts';

/**
 * Takes a job through its stages, by the names that Customizer's operator gives them:
 * created → fetch model and data → train → upload → completed. Training is the model server's.
 */
export async function runJob(world: World, job: CustomizationJob): Promise<void> {
  try {
    do await stage(world, job, 'pending');
    while (world.faults.noNodeFree);
    log(job, 'PVCCreated');
    const rows = await entityHandler(world, job, 0, async () => readRows(world, job.filesUrl));
    await train(world, job, rows);
    while (world.faults.unending.has('customization')) await stage(world, job, 'running');
    if (world.faults.failTrainingAtEnd) {
      world.faults.failTrainingAtEnd = false;
      throw new DatasetError('Upload of the checkpoint failed');
    }
    await entityHandler(world, job, 1, async () => keepAdapter(world, job));
    setStatus(job, 'completed');
  } catch (error) {
    if (world.closed.aborted) return await leave(world, job);
    if (job.cancelled) return setStatus(job, 'cancelled');
    const reason = error instanceof Error ? error.message : String(error);
    job.failure = reason;
    log(job, 'Failed', world.faults.reasonOnlyIn === null ? reason : undefined);
    setStatus(job, 'failed');
    setArtifact(world, job, { status: 'upload_failed' });
  }
}

/** The model server outlives this one, and would go on training for nobody. */
async function leave(world: World, { trainingJob }: CustomizationJob): Promise<void> {
  if (trainingJob !== null) await world.modelServer.cancel(trainingJob);
}

/** Thrown where a cancelled job notices it. */
class Cancelled extends Error {}

async function stage(world: World, job: CustomizationJob, status: string): Promise<void> {
  await pause(world.options.stageMs, undefined, { signal: world.closed });
  if (job.cancelled) throw new Cancelled();
  setStatus(job, status);
}

async function entityHandler<T>(
  world: World,
  job: CustomizationJob,
  n: 0 | 1,
  work: () => Promise<T>,
): Promise<T> {
  for (const step of ['Created', 'Pending', 'Running']) log(job, `EntityHandler_${n}_${step}`);
  const done = await work();
  await pause(world.options.stageMs, undefined, { signal: world.closed });
  if (job.cancelled) throw new Cancelled();
  log(job, `EntityHandler_${n}_Completed`);
  return done;
}

async function train(world: World, job: CustomizationJob, rows: TrainingRows): Promise<void> {
  const { modelServer } = world;
  const { hyperparameters } = job.request;
  log(job, 'TrainingJobCreated');
  log(job, 'TrainingJobPending', 'The training job is pending');
  const stepsPerEpoch = Math.ceil(rows.train.length / hyperparameters.batch_size);
  const upload = (name: string, lines: readonly string[]) =>
    modelServer.upload(`${name}.jsonl`, lines.map((line) => `${line}\n`).join(''));
  const body: JsonObject = {
    model: job.base.servedAs,
    training_file: await upload('training', rows.train),
    ...(rows.validation.length > 0 && { validation_file: await upload('validation', rows.validation) }),
    seed: hyperparameters.seed ?? Math.floor(Math.random() * 2 ** 31),
    suffix: 'nemo',
    metadata: { customization_job: text(job.entity['id']) },
    method: {
      type: 'supervised',
      supervised: { hyperparameters: toModelServer(job.request, stepsPerEpoch * hyperparameters.epochs) },
    },
  };
  const trainingJob = await whenFree(world, job, body);
  job.trainingJob = text(trainingJob['id']);
  log(job, 'TrainingJobRunning');
  job.entity.status_details.steps_per_epoch = stepsPerEpoch;
  await watch(world, job, job.trainingJob);
  log(job, 'TrainingJobCompleted');
}

/** The cluster has one device: a job waits as `pending` until it is free. */
async function whenFree(world: World, job: CustomizationJob, body: JsonObject): Promise<JsonObject> {
  for (;;) {
    if (job.cancelled) throw new Cancelled();
    try {
      return await world.modelServer.createJob(body);
    } catch (error) {
      if (!(error instanceof ModelServerError && error.code === 'device_busy')) throw error;
      await pause(200, undefined, { signal: world.closed });
    }
  }
}

async function watch(world: World, job: CustomizationJob, id: string): Promise<void> {
  const started = Date.now();
  for (;;) {
    if (job.cancelled) {
      await world.modelServer.cancel(id);
      throw new Cancelled();
    }
    const training = await world.modelServer.job(id);
    progress(job, await world.modelServer.events(id));
    job.entity.status_details['elapsed_time'] = (Date.now() - started) / 1000;
    const { status } = training;
    if ((status === 'running' || status === 'succeeded') && job.entity.status !== 'running') {
      setStatus(job, 'running');
    }
    if (status === 'succeeded') return finish(job, training);
    if (status === 'failed' || status === 'cancelled') {
      const { error } = training;
      throw new Error(isJsonObject(error) ? text(error['message']) : 'training failed');
    }
    await pause(200, undefined, { signal: world.closed });
  }
}

function finish(job: CustomizationJob, training: JsonObject): void {
  const { status_details: details } = job.entity;
  const { epochs } = job.request.hyperparameters;
  details.epochs_completed = epochs;
  details['best_epoch'] = epochs;
  details.percentage_done = 100;
  adapters.set(job, text(training['fine_tuned_model']));
}

/** What the model server calls a finished job's adapter. */
const adapters = new WeakMap<CustomizationJob, string>();

/** Steps as they are, progress in whole epochs, losses every so many steps, counted from zero: as recorded. */
function progress(job: CustomizationJob, events: readonly JsonObject[]): void {
  const { status_details: details } = job.entity;
  const { epochs, log_every_n_steps: every } = job.request.hyperparameters;
  const trained: { step: number; timestamp: string; value: number }[] = [];
  const validated: typeof trained = [];
  let steps = 0;
  for (const event of [...events].reverse()) {
    const { step, train_loss: loss, valid_loss: validLoss } = (event['data'] ?? {}) as Record<string, number>;
    if (event['type'] !== 'metrics' || typeof step !== 'number') continue;
    steps = Math.max(steps, step);
    const timestamp = new Date(Number(event['created_at']) * 1000).toISOString().slice(0, -1);
    if (typeof loss === 'number' && step % every === 0)
      trained.push({ step: step - 1, timestamp, value: loss });
    if (typeof validLoss === 'number') validated.push({ step: step - 1, timestamp, value: validLoss });
  }
  const perEpoch = details.steps_per_epoch ?? 1;
  details.steps_completed = steps;
  details.epochs_completed = Math.floor(steps / perEpoch);
  details.percentage_done = (details.epochs_completed / epochs) * 100;
  details['metrics'] = {
    keys: ['train_loss', 'val_loss'],
    metrics: { train_loss: trained, val_loss: validated },
  };
  const [lastTrain, lastValidation] = [trained.at(-1), validated.at(-1)];
  if (lastTrain) details.train_loss = lastTrain.value;
  if (lastValidation) details.val_loss = lastValidation.value;
}

/** The adapter as the Data Store has it: model repository `ns/model`, revision `cust-<id>`. */
function keepAdapter(world: World, job: CustomizationJob): void {
  const { output_model: output } = job.entity;
  if (typeof output !== 'string') return;
  const [id = '', revision = ''] = output.split('@');
  const { hyperparameters } = job.request;
  const config = {
    base_model_name_or_path: job.base.id,
    peft_type: 'LORA',
    r: hyperparameters.lora.adapter_dim,
    lora_alpha: hyperparameters.lora.alpha,
    model_server_adapter: adapters.get(job),
  };
  const key = `model:${id}`;
  const repo = world.dataStore.repos.get(key) ?? newRepo('model', id);
  world.dataStore.repos.set(key, repo);
  const file = regularFile(Buffer.from(`${JSON.stringify(config)}\n`));
  repo.revisions.set(revision, { commit: newCommit(), files: new Map([['adapter_config.json', file]]) });
  setArtifact(world, job, { status: 'upload_completed' });
}

function setArtifact(world: World, job: CustomizationJob, changes: JsonObject): void {
  const model = world.tables.models.get(text(job.entity['output_model']));
  if (model) model['artifact'] = { ...(model['artifact'] as JsonObject), ...changes };
}
