import { z } from 'zod';
import type { FineTuningDialect } from '../domain/experiments/fine-tuning-dialect.ts';
import {
  flywheelHyperparameters,
  type HyperparameterNames,
} from '../domain/experiments/hyperparameter-names.ts';
import { unknownWord } from './nearest.ts';

/**
 * OpenAI's own, as its Python package's types have it: it knows no rank, and its learning rate is a multiple of one
 * that it does not tell.
 */
const openai: FineTuningDialect = {
  jobsPath: '/fine_tuning/jobs',
  purpose: 'fine-tune',
  body: { method: { type: 'supervised' } },
  hyperparametersIn: 'method.supervised.hyperparameters',
  hyperparameters: { epochs: 'n_epochs', batchSize: 'batch_size' },
  seed: 'seed',
  suffix: 'suffix',
  longestSuffix: 64,
  metadata: 'metadata',
  filtersByMetadata: true,
  replyModel: 'fine_tuned_model',
  statuses: {},
  listsBases: true,
  servesTrained: true,
};

/** The model server's: OpenAI's, and beside its hyperparameters those that LoRA needs. */
export const flywheelDialect: FineTuningDialect = { ...openai, hyperparameters: flywheelHyperparameters };

/**
 * Where servers are known by their documents only (`azure`, `nebius`: decision 26), what is not sure is not sent: no
 * metadata and no `method`, which not all of their versions take.
 */
export const fineTuningDialects = {
  flywheel: flywheelDialect,
  openai,
  azure: {
    ...openai,
    ...{ body: {}, hyperparametersIn: 'hyperparameters' },
    ...{ longestSuffix: 40, metadata: null, filtersByMetadata: false },
    servesTrained: false,
  },
  nebius: {
    ...openai,
    body: { hyperparameters: { lora: true } },
    hyperparametersIn: 'hyperparameters',
    hyperparameters: {
      ...{ epochs: 'n_epochs', batchSize: 'batch_size', learningRate: 'learning_rate' },
      ...{ warmupRatio: 'warmup_ratio', rank: 'lora_r', alpha: 'lora_alpha', dropout: 'lora_dropout' },
    },
    ...{ metadata: null, filtersByMetadata: false },
    ...{ listsBases: false, servesTrained: false },
  },
} as const satisfies Record<string, FineTuningDialect>;

/** A field of a job's body, such as `n_epochs` or `lora.rank`. */
const path = z
  .string()
  .regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, 'must be a field such as n_epochs or lora.rank');

const names = z.strictObject({
  epochs: path.optional(),
  batch_size: path.optional(),
  learning_rate: path.optional(),
  schedule: path.optional(),
  warmup_ratio: path.optional(),
  rank: path.optional(),
  alpha: path.optional(),
  dropout: path.optional(),
  target_modules: path.optional(),
});

/** A dialect by its name, or one that is `like` another but for what is said; null: it has no such field. */
export const DialectEntry = z.preprocess(
  (entry, context) => {
    if (typeof entry !== 'string' || Object.hasOwn(fineTuningDialects, entry))
      return typeof entry === 'string' ? { like: entry } : entry;
    context.addIssue(unknownWord('dialect', entry, Object.keys(fineTuningDialects)));
    return z.NEVER;
  },
  z.strictObject({
    like: z.enum(Object.keys(fineTuningDialects) as [keyof typeof fineTuningDialects]).default('openai'),
    jobs_path: z
      .string()
      .regex(/^(\/[\w.-]+)+$/, 'must be a path such as /fine_tuning/jobs')
      .optional(),
    purpose: z.string().min(1).optional(),
    body: z.record(z.string(), z.json()).optional(),
    hyperparameters_in: z.union([path, z.literal('')]).optional(),
    hyperparameters: names.optional(),
    seed: path.nullish(),
    suffix: path.nullish(),
    longest_suffix: z.number().int().min(1).optional(),
    metadata: path.nullish(),
    filters_by_metadata: z.boolean().optional(),
    reply_model: path.optional(),
    statuses: z
      .record(z.string(), z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']))
      .optional(),
    lists_bases: z.boolean().optional(),
    serves_trained: z.boolean().optional(),
  }),
);
export type DialectEntry = z.infer<typeof DialectEntry>;

export function toDialect({ like, hyperparameters, ...own }: DialectEntry): FineTuningDialect {
  const base: FineTuningDialect = fineTuningDialects[like];
  // What is left out stays as it is; null is said.
  const orBase = <T>(said: T | undefined, there: T): T => (said === undefined ? there : said);
  return {
    jobsPath: orBase(own.jobs_path, base.jobsPath),
    purpose: orBase(own.purpose, base.purpose),
    body: orBase(own.body, base.body),
    hyperparametersIn: orBase(own.hyperparameters_in, base.hyperparametersIn),
    hyperparameters: hyperparameters === undefined ? base.hyperparameters : toNames(hyperparameters),
    seed: orBase(own.seed, base.seed),
    suffix: orBase(own.suffix, base.suffix),
    longestSuffix: orBase(own.longest_suffix, base.longestSuffix),
    metadata: orBase(own.metadata, base.metadata),
    filtersByMetadata: orBase(own.filters_by_metadata, base.filtersByMetadata),
    replyModel: orBase(own.reply_model, base.replyModel),
    statuses: { ...base.statuses, ...own.statuses },
    listsBases: orBase(own.lists_bases, base.listsBases),
    servesTrained: orBase(own.serves_trained, base.servesTrained),
  };
}

function toNames(said: z.infer<typeof names>): HyperparameterNames {
  const {
    batch_size: batchSize,
    learning_rate: learningRate,
    warmup_ratio: warmupRatio,
    target_modules: targetModules,
    ...rest
  } = said;
  return { ...rest, batchSize, learningRate, warmupRatio, targetModules };
}
