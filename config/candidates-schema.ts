import { z } from 'zod';
import {
  defaultIcl,
  defaultLora,
  defaultMaxTokens,
  defaultRelevanceShare,
} from '../domain/experiments/defaults.ts';
import { type Candidate, type Similarity, strategies } from '../domain/experiments/experiment.ts';
import { PriceEntry, toPrice } from './price-schema.ts';
import { ProviderEntry } from './providers-schema.ts';

const LoraSettings = z
  .strictObject({
    epochs: z.number().int().min(1).max(100).default(defaultLora.epochs),
    batch_size: z.number().int().min(1).max(1024).default(defaultLora.batchSize),
    learning_rate: z.number().gt(0).lt(1).default(defaultLora.learningRate),
    schedule: z.enum(['linear', 'cosine', 'constant']).default(defaultLora.schedule),
    warmup_ratio: z.number().min(0).max(1).default(defaultLora.warmupRatio),
    rank: z.number().int().min(1).max(1024).default(defaultLora.rank),
    alpha: z.number().gt(0).default(defaultLora.alpha),
    dropout: z.number().min(0).lt(1).default(defaultLora.dropout),
    target_modules: z.array(z.string().min(1)).min(1).optional(),
  })
  .prefault({});

const IclSettings = z
  .strictObject({
    max_examples: z.number().int().min(1).max(100).default(defaultIcl.maxExamples),
    reserved_tokens: z.number().int().min(0).default(defaultIcl.reservedTokens),
    selection: z.enum(['uniform', 'similar']).default('uniform'),
    relevance_share: z.number().min(0).max(1).default(defaultRelevanceShare),
    // Who embeds the questions; the candidate itself unless said.
    embedding: z
      .strictObject({ provider: z.string().min(1).optional(), model: z.string().min(1) })
      .optional(),
  })
  .prefault({});

const CandidateEntry = z.strictObject({
  // Part of workflow ids and file names, hence the plain alphabet.
  name: z
    .string()
    .regex(/^[a-z0-9]+(?:[.-][a-z0-9]+)*$/, 'must be kebab-case, such as nano-1m or llama-3.2-1b'),
  provider: z.string().min(1).default('local'),
  // Who trains it, where the provider only serves.
  trainer: z.string().min(1).optional(),
  model: z.string().min(1),
  strategies: z
    .array(z.enum(strategies))
    .min(1)
    .default([...strategies]),
  lora: LoraSettings,
  icl: IclSettings,
  gpu_pool: z.string().min(1).default('local'),
  max_tokens: z.number().int().min(1).default(defaultMaxTokens),
  /** Prompt and answer together, in tokens; the server's own word where it gives one. */
  context: z.number().int().min(1).optional(),
  price: PriceEntry.optional(),
});
export type CandidateEntry = z.infer<typeof CandidateEntry>;

/** The shape of `candidates.yaml`, in the file's own (snake_case) words. */
export const CandidatesFile = z.strictObject({
  providers: z.record(z.string(), ProviderEntry).default({}),
  candidates: z.array(CandidateEntry).min(1, 'must list at least one candidate'),
});
export type CandidatesFile = z.infer<typeof CandidatesFile>;

export function toCandidate(entry: CandidateEntry): Candidate {
  const { lora, icl } = entry;
  return {
    name: entry.name,
    provider: entry.provider,
    ...(entry.trainer && { trainer: entry.trainer }),
    model: entry.model,
    strategies: entry.strategies,
    lora: {
      epochs: lora.epochs,
      batchSize: lora.batch_size,
      learningRate: lora.learning_rate,
      schedule: lora.schedule,
      warmupRatio: lora.warmup_ratio,
      rank: lora.rank,
      alpha: lora.alpha,
      dropout: lora.dropout,
      ...(lora.target_modules && { targetModules: lora.target_modules }),
    },
    icl: {
      maxExamples: icl.max_examples,
      reservedTokens: icl.reserved_tokens,
      ...(icl.selection === 'similar' && { similarity: similarityOf(entry) }),
    },
    gpuPool: entry.gpu_pool,
    maxTokens: entry.max_tokens,
    ...(entry.context !== undefined && { context: entry.context }),
    ...(entry.price && { price: toPrice(entry.price) }),
  };
}

function similarityOf({ provider, model, icl }: CandidateEntry): Similarity {
  return {
    provider: icl.embedding?.provider ?? provider,
    model: icl.embedding?.model ?? model,
    relevanceShare: icl.relevance_share,
  };
}
