import type { ArtifactStore } from '../../activities/ports/artifact-store.ts';
import {
  type FineTuneRequest,
  hasEnded,
  type Trainer,
  type TrainingJob,
} from '../../activities/ports/trainer.ts';
import { RejectedError } from '../../domain/errors.ts';
import { sha256 } from '../../domain/hash.ts';
import type { Job } from './customizer.schema.ts';
import { type Customizer, createCustomizer } from './customizer.ts';
import { toHyperparameters, trainingOption } from './hyperparameters.ts';
import { isNamedBy, ourName, prefix } from './names.ts';
import { defaultTraining, type NemoSettings, type TrainingSettings } from './settings.ts';
import { createDatasets, type Datasets } from './training-dataset.ts';
import { createTransport } from './transport.ts';

/**
 * Fine-tuning by Customizer: dataset to the Data Store, config by its settings, job.
 *
 * A job is found by the name of its output model, which ends in a hash of the key: the one field of ours that
 * every recorded reply gives back. Customizer knows no idempotency, so a create is followed by a look: of two
 * jobs under one key the first is the job, and the other is cancelled.
 */
export function createTrainer(
  settings: NemoSettings,
  artifacts: Pick<ArtifactStore, 'readLines'>,
  training: TrainingSettings = defaultTraining,
): Trainer {
  const customizer = createCustomizer(createTransport(settings, settings.url));
  const context: Context = { settings, training, customizer, datasets: createDatasets(settings, artifacts) };
  const launching = new Map<string, Promise<TrainingJob>>();
  return {
    find: async (key) => (await find(context, key))?.job ?? null,
    launch(request) {
      const begun = launching.get(request.key) ?? launch(context, request);
      launching.set(request.key, begun);
      return begun.finally(() => launching.delete(request.key));
    },
    get: async (jobId) => (await customizer.job(jobId)).job,
    progress: async (jobId) => (await customizer.job(jobId)).progress,
    cancel: (jobId) => cancel(customizer, jobId),
  };
}

interface Context {
  readonly settings: NemoSettings;
  readonly training: TrainingSettings;
  readonly customizer: Customizer;
  readonly datasets: Datasets;
}

async function find({ customizer, settings }: Context, key: string): Promise<Job | null> {
  let first: Job | null = null;
  for await (const job of customizer.jobs(settings.namespace)) {
    if (isNamedBy(job.outputName, key) && (first === null || isBefore(job, first))) first = job;
  }
  return first;
}

function isBefore(a: Job, b: Job): boolean {
  return a.createdAt === b.createdAt ? a.job.id < b.job.id : a.createdAt < b.createdAt;
}

async function launch(context: Context, request: FineTuneRequest): Promise<TrainingJob> {
  const found = await find(context, request.key);
  if (found !== null) return found.job;
  const { job } = await create(context, request);
  // Another process may have created one meanwhile; both see the same two, and agree on the first.
  const first = await find(context, request.key);
  if (first === null || first.job.id === job.id) return job;
  await cancel(context.customizer, job.id);
  return first.job;
}

async function create(
  { settings, training, customizer, datasets }: Context,
  request: FineTuneRequest,
): Promise<Job> {
  const target = await customizer.targetOf(request.baseModel);
  const dataset = await datasets.ensure(request);
  const config = {
    target,
    maxSeqLength: training.maxSeqLength,
    precision: training.precision,
    options: [trainingOption(training)],
  };
  const fullName = `${settings.namespace}/${configName(request.baseModel, config)}`;
  await customizer.ensureConfig({ fullName, ...config });
  return customizer.createJob({
    name: ourName(request.metadata, request.key),
    namespace: settings.namespace,
    description:
      `Flywheel: ${request.metadata['workload_id'] ?? ''} ${request.metadata['run_id'] ?? ''}`.trim(),
    config: fullName,
    dataset: { namespace: settings.namespace, name: dataset },
    output_model: `${settings.namespace}/${ourName(request.metadata, request.key)}`,
    hyperparameters: toHyperparameters(request),
    custom_fields: { ...request.metadata, flywheel_key: request.key },
  });
}

/** `model@v1.0.0+flywheel-<hash of everything in it>`: other settings have another name, so a 409 is no trap. */
function configName(baseModel: string, config: object): string {
  const model = baseModel.split('/').at(-1) ?? baseModel;
  return `${model}@v1.0.0+${prefix}-${sha256(JSON.stringify(config)).slice(0, 12)}`;
}

async function cancel(customizer: Customizer, jobId: string): Promise<void> {
  try {
    await customizer.cancelJob(jobId);
  } catch (error) {
    // What has ended cannot be cancelled; that is what was wanted.
    if (error instanceof RejectedError && hasEnded((await customizer.job(jobId)).job)) return;
    throw error;
  }
}
