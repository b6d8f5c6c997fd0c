import type { IclSettings, LoraHyperparameters } from './experiment.ts';

/**
 * The blueprint's hyperparameters. What it leaves to its trainer (schedule, warm-up, alpha) has the value
 * that is usual for LoRA: alpha equal to the rank scales the update by one, whatever the rank.
 */
export const defaultLora: LoraHyperparameters = {
  epochs: 2,
  batchSize: 16,
  learningRate: 1e-4,
  schedule: 'linear',
  warmupRatio: 0.05,
  rank: 32,
  alpha: 32,
  dropout: 0.1,
};

/** The blueprint's three examples. Its 4,096 reserved tokens suit long contexts; a routed answer is short. */
export const defaultIcl: IclSettings = { maxExamples: 3, reservedTokens: 64 };

/** The blueprint's `relevance_ratio`. */
export const defaultRelevanceShare = 0.7;

/** Longest answer asked for unless a candidate says otherwise, in tokens. */
export const defaultMaxTokens = 64;

/** How a dataset is cut. `maxEvalSize` and `maxEvalShare` bound the eval split unless a size is asked for. */
export const defaultCuration = {
  minRecords: 50,
  validationShare: 0.1,
  maxEvalSize: 200,
  maxEvalShare: 1 / 3,
} as const;
