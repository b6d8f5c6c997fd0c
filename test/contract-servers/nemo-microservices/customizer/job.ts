import { z } from 'zod';
import type { JsonObject } from '../../../../domain/json.ts';
import { newId, timestamp } from '../entity.ts';
import { fail } from '../replies.ts';
import { text } from '../text.ts';
import type { World } from '../world.ts';

const reference = z.union([z.string(), z.looseObject({})]);
export const CreateJob = z.looseObject({
  config: reference,
  dataset: reference,
  hyperparameters: z.looseObject({
    finetuning_type: z.enum(['lora', 'lora_merged', 'all_weights']),
    training_type: z.enum(['sft', 'dpo', 'distillation', 'grpo']).default('sft'),
    epochs: z.number().int().positive().default(1),
    batch_size: z.number().int().positive().default(16),
    learning_rate: z.number().positive().default(1e-4),
    log_every_n_steps: z.number().int().positive().default(10),
    warmup_steps: z.number().int().nonnegative().nullish(),
    weight_decay: z.number().nonnegative().nullish(),
    seed: z.number().int().nullish(),
    optimizer: z
      .enum([
        'adam_with_cosine_annealing',
        'adam_with_flat_lr',
        'adamw_with_cosine_annealing',
        'adamw_with_flat_lr',
      ])
      .nullish(),
    lora: z
      .looseObject({
        adapter_dim: z
          .number()
          .int()
          .refine((rank) => rank > 0 && (rank & (rank - 1)) === 0, 'adapter_dim must be a power of two')
          .default(32),
        adapter_dropout: z.number().min(0).max(1).nullish(),
        alpha: z.number().int().default(16),
        target_modules: z.array(z.string()).nullish(),
      })
      .prefault({}),
  }),
  namespace: z.string().optional(),
  output_model: z.string().optional(),
});
export type CreateJob = z.output<typeof CreateJob>;

/** A job, and what of it is nobody's business outside. */
export interface CustomizationJob {
  /** As it is shown. */
  readonly entity: JsonObject & { status: string; status_details: StatusDetails };
  readonly request: CreateJob;
  readonly base: { readonly id: string; readonly servedAs: string };
  /** The dataset's files. */
  readonly filesUrl: string;
  cancelled: boolean;
  /** Why it failed, once it has. */
  failure: string | null;
  /** The model server's job, once there is one. */
  trainingJob: string | null;
}

export interface StatusDetails extends Record<string, unknown> {
  steps_completed: number;
  epochs_completed: number;
  percentage_done: number;
  steps_per_epoch?: number;
  train_loss?: number;
  val_loss?: number;
  status_logs: { updated_at: string; message: string; detail?: string }[];
}

export const ended: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

/** A job that is being cancelled goes to no other state than an end. */
export function setStatus(job: CustomizationJob, status: string): void {
  if (job.entity.status === 'cancelling' && !ended.has(status)) return;
  Object.assign(job.entity, { status, updated_at: timestamp() });
  Object.assign(job.entity.status_details, { status, updated_at: timestamp() });
}

export function log(job: CustomizationJob, message: string, detail?: string): void {
  job.entity.status_details.status_logs.push({ updated_at: timestamp(), message, ...(detail && { detail }) });
}

/** The job as it is when it has just been created. */
export function newJob(world: World, request: CreateJob): CustomizationJob {
  const config = findConfig(world, request.config);
  const option = pickOption(config, request);
  const target = config['target'] as JsonObject;
  const base = world.options.bases.find(({ id }) => id === target['base_model']);
  if (!base) throw fail(400, `Target ${text(target['name'])} has no checkpoint here`);
  const id = newId('cust');
  const now = timestamp();
  const dataset = findDataset(world, request.dataset);
  const entity = {
    id,
    namespace: request.namespace ?? 'default',
    description: null,
    project: null,
    custom_fields: {},
    ownership: null,
    ...Object.fromEntries(Object.entries(request).filter(([key]) => key !== 'name')),
    config: `${text(config['namespace'])}/${text(config['name'])}`,
    config_snapshot: {
      base_model: base.id,
      max_seq_length: config['max_seq_length'] ?? null,
      precision: config['training_precision'] ?? null,
      prompt_template: config['prompt_template'] ?? null,
      training_option: option,
    },
    dataset: dataset.name,
    output_model: revised(request.output_model, id),
    status: 'created',
    status_details: {
      created_at: now,
      updated_at: now,
      elapsed_time: 0,
      steps_completed: 0,
      epochs_completed: 0,
      percentage_done: 0,
      status_logs: [{ updated_at: now, message: 'created' }],
    } satisfies StatusDetails,
    created_at: now,
    updated_at: now,
    warnings: null,
  };
  return {
    entity,
    request,
    base,
    filesUrl: dataset.filesUrl,
    cancelled: false,
    failure: null,
    trainingJob: null,
  };
}

/** Whatever revision was asked for, the server's own takes its place. */
function revised(outputModel: string | undefined, id: string): string | null {
  return outputModel === undefined ? null : `${outputModel.replace(/@.*$/, '')}@${id}`;
}

function findConfig(world: World, config: CreateJob['config']): JsonObject {
  if (typeof config !== 'string') throw fail(400, 'An inline config is not served here; create one first');
  const found = world.tables.customizationConfigs.get(config);
  if (found) return found;
  throw fail(404, `Customization config ${config} not found`);
}

function pickOption(config: JsonObject, { hyperparameters }: CreateJob): JsonObject {
  const { training_type, finetuning_type } = hyperparameters;
  const option = (config['training_options'] as JsonObject[]).find(
    (one) => one['training_type'] === training_type && one['finetuning_type'] === finetuning_type,
  );
  if (option) return option;
  throw fail(
    400,
    `Config ${text(config['name'])} has no training option ${training_type}/${finetuning_type}`,
  );
}

function findDataset(world: World, dataset: CreateJob['dataset']): { name: string; filesUrl: string } {
  if (typeof dataset !== 'string' && typeof dataset['files_url'] === 'string') {
    return { name: dataset['files_url'], filesUrl: dataset['files_url'] };
  }
  const name =
    typeof dataset === 'string' ? dataset : `${text(dataset['namespace'])}/${text(dataset['name'])}`;
  const found = world.tables.datasets.get(name);
  if (!found) throw fail(404, `Dataset ${name} not found`);
  return { name, filesUrl: text(found['files_url']) };
}
