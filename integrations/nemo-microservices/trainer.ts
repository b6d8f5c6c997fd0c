import type { ArtifactStore } from '../../activities/ports/artifact-store.ts';
import {
  type FineTuneRequest,
  hasEnded,
  type Trainer,
  type TrainingJob,
} from '../../activities/ports/trainer.ts';
import { FlywheelError, RejectedError } from '../../domain/errors.ts';
import { sha256 } from '../../domain/hash.ts';
import { tidied } from '../http/errors.ts';
import { createLauncher, jobsOf, type Service } from '../http/launch-once.ts';
import type { Job } from './customizer.schema.ts';
import { type Customizer, createCustomizer } from './customizer.ts';
import { toHyperparameters, trainingOption } from './hyperparameters.ts';
import { describedBy, isNamedBy, ourName, prefix } from './names.ts';
import { defaultTraining, type NemoSettings, type TrainingSettings } from './settings.ts';
import { createDatasets, type Datasets } from './training-dataset.ts';
import { createTransport } from './transport.ts';

/**
 * Fine-tuning by Customizer: dataset to the Data Store, config by its settings, job.
 *
 * A job is found by the name of its output model, which ends in a hash of the key: the one field of ours that
 * every recorded reply gives back.
 */
export function createTrainer(
  settings: NemoSettings,
  artifacts: Pick<ArtifactStore, 'readLines'>,
  training: TrainingSettings = defaultTraining,
): Trainer {
  const customizer = createCustomizer(createTransport(settings, settings.url));
  const context: Context = { settings, training, customizer, datasets: createDatasets(settings, artifacts) };
  const service: Service<FineTuneRequest, TrainingJob> = {
    findAll: (key) => findAll(context, key),
    create: (request) => create(context, request),
    cancel: (jobId) => cancel(customizer, jobId),
  };
  const launch = createLauncher(service);
  return {
    findAll: async (key) => {
      const jobs = await jobsOf(service, key);
      return Promise.all(jobs.map((job) => explained(context, job)));
    },
    launch: async (request) => explained(context, await launch(request)),
    get: async (jobId) => explained(context, (await customizer.job(jobId)).job),
    progress: async (jobId) => (await customizer.job(jobId)).progress,
    cancel: service.cancel,
  };
}

interface Context {
  readonly settings: NemoSettings;
  readonly training: TrainingSettings;
  readonly customizer: Customizer;
  readonly datasets: Datasets;
}

async function findAll({ customizer, settings }: Context, key: string): Promise<Job[]> {
  const found: Job[] = [];
  for await (const job of customizer.jobs(settings.namespace)) {
    if (isNamedBy(job.outputName, key)) found.push(job);
  }
  return found;
}

async function create(
  { settings, training, customizer, datasets }: Context,
  request: FineTuneRequest,
): Promise<TrainingJob> {
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
  const { job } = await customizer.createJob({
    name: ourName(request.metadata, request.key),
    namespace: settings.namespace,
    description: describedBy(request.metadata),
    config: fullName,
    dataset: { namespace: settings.namespace, name: dataset },
    output_model: `${settings.namespace}/${ourName(request.metadata, request.key)}`,
    hyperparameters: toHyperparameters(request),
    custom_fields: { ...request.metadata, flywheel_key: request.key },
  });
  return job;
}

/** `model@v1.0.0+flywheel-<hash of everything in it>`: other settings have another name, so a 409 is no trap. */
function configName(baseModel: string, config: object): string {
  const model = baseModel.split('/').at(-1) ?? baseModel;
  return `${model}@v1.0.0+${prefix}-${sha256(JSON.stringify(config)).slice(0, 12)}`;
}

/**
 * A failed job with its reason: its status mostly has one, else the logs of its containers may. Either may quote a
 * pod's environment, or what a model's host said.
 */
async function explained({ customizer, settings }: Context, job: TrainingJob): Promise<TrainingJob> {
  const error = job.status === 'failed' ? (job.error ?? (await failureReason(customizer, job.id))) : null;
  return tidied({ ...job, error }, settings.apiKey);
}

async function failureReason(customizer: Customizer, jobId: string): Promise<string | null> {
  try {
    return await customizer.failureReason(jobId);
  } catch (error) {
    if (!(error instanceof FlywheelError)) throw error;
    // That it failed is known, and worth more than why.
    return null;
  }
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
