import { z } from 'zod';
import { RejectedError } from '../../domain/errors.ts';
import { ContainerLogs } from './container-logs.schema.ts';
import { findTarget } from './customization-targets.ts';
import { Config, Job } from './customizer.schema.ts';
import { ifThere, isConflict } from './errors.ts';
import { listAll, listNewest } from './paging.ts';
import { itemPath, segment, type Transport } from './transport.ts';

export interface NewConfig {
  /** `namespace/name`; the name has to have a version: `model@v1.0.0+label`. */
  readonly fullName: string;
  /** `namespace/name` of the target. */
  readonly target: string;
  readonly maxSeqLength: number;
  readonly precision: string;
  readonly options: Config['options'];
}

/** The service validates what it is given, and may ask others about it. */
const createTimeoutMs = 2 * 60_000;

/** Customizer: targets (checkpoints), configs (target and hardware) and jobs (config, dataset, hyperparameters). */
export interface Customizer {
  /** The usable target of a base model. Throws `RejectedError`, `model_not_found`, that names what there is. */
  targetOf(baseModel: string): Promise<string>;
  /** Makes the config, or finds it as it should be. Throws `RejectedError` where the name stands for another one. */
  ensureConfig(config: NewConfig): Promise<void>;
  configs(namespace: string): AsyncIterable<Config>;
  /** Harmless when it is gone. */
  deleteConfig(fullName: string): Promise<void>;
  createJob(body: Readonly<Record<string, unknown>>): Promise<Job>;
  /** One call: a job brings the details that `…/status` has alone. */
  job(id: string): Promise<Job>;
  /** Why a job failed, by the logs of its containers; null where they do not tell either. */
  failureReason(id: string): Promise<string | null>;
  /** Jobs of the namespace, newest first, not endlessly. */
  jobs(namespace: string): AsyncIterable<Job>;
  cancelJob(id: string): Promise<void>;
}

const configs = '/v1/customization/configs';
const jobs = '/v1/customization/jobs';

export function createCustomizer(transport: Transport): Customizer {
  return {
    targetOf: (baseModel) => findTarget(transport, baseModel),
    ensureConfig: (config) => ensureConfig(transport, config),
    configs: (namespace) =>
      listAll(
        transport,
        { doing: 'list customization configs', path: configs, query: { 'filter[namespace]': namespace } },
        Config,
      ),
    async deleteConfig(fullName) {
      const call = {
        doing: `delete ${fullName}`,
        method: 'DELETE',
        path: itemPath(configs, fullName),
      } as const;
      await ifThere(transport.json(call, z.unknown()));
    },
    createJob: (body) =>
      transport.json(
        { doing: 'create a customization job', method: 'POST', path: jobs, body, timeoutMs: createTimeoutMs },
        Job,
      ),
    job: (id) =>
      transport.json({ doing: `retrieve job ${id}`, method: 'GET', path: `${jobs}/${segment(id)}` }, Job),
    failureReason: (id) =>
      transport.json(
        {
          doing: `read the logs of job ${id}`,
          method: 'GET',
          path: `${jobs}/${segment(id)}/container-logs`,
        },
        ContainerLogs,
      ),
    jobs: (namespace) =>
      listNewest(transport, { doing: 'list customization jobs', path: jobs }, { namespace, item: Job }),
    async cancelJob(id) {
      // Not `/v1/customizations/{id}/cancel`, where the blueprint sends it: no release serves that.
      const path = `${jobs}/${segment(id)}/cancel`;
      await transport.json(
        { doing: `cancel job ${id}`, method: 'POST', path, repeatable: true },
        z.unknown(),
      );
    },
  };
}

async function ensureConfig(transport: Transport, config: NewConfig): Promise<void> {
  const [namespace, name] = config.fullName.split('/');
  const body = {
    name,
    namespace,
    target: config.target,
    max_seq_length: config.maxSeqLength,
    training_precision: config.precision,
    training_options: config.options,
    description: 'Made by Flywheel; named by its settings',
  };
  const doing = `make customization config ${config.fullName}`;
  try {
    await transport.json({ doing, method: 'POST', path: configs, body, repeatable: true }, z.unknown());
  } catch (error) {
    if (!isConflict(error)) throw error;
    const found = await transport.json(
      { doing: `read ${config.fullName}`, method: 'GET', path: itemPath(configs, config.fullName) },
      Config,
    );
    requireSame(found, config);
  }
}

/** A config that is there already is used only if it is what we would have made. */
function requireSame(found: Config, wanted: NewConfig): void {
  const settings = ({ target, maxSeqLength, precision, options }: Omit<NewConfig, 'fullName'>) =>
    JSON.stringify([
      target,
      maxSeqLength,
      precision,
      options.map((one) => [one.training_type, one.finetuning_type, one.num_gpus, one.micro_batch_size]),
    ]);
  // What a reply leaves out cannot be told apart from what is wanted.
  const target = found.target ?? wanted.target;
  const precision = found.precision ?? wanted.precision;
  if (settings({ ...found, target, precision }) === settings(wanted)) return;
  throw new RejectedError(
    `Customization config ${wanted.fullName} exists with other settings than its name says. ` +
      'Somebody changed it: delete it, and Flywheel makes it again.',
    { code: 'conflict' },
  );
}
