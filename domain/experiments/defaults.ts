import type { IclSettings, LoraHyperparameters } from './experiment.ts';

/** The blueprint's LoRA settings; alpha is half the rank. */
export const defaultLora: LoraHyperparameters = {
  epochs: 2,
  batchSize: 16,
  learningRate: 1e-4,
  schedule: 'linear',
  warmupRatio: 0,
  rank: 32,
  alpha: 16,
  dropout: 0.1,
};

/** The blueprint's few-shot settings. */
export const defaultIcl: IclSettings = { maxExamples: 3, reservedTokens: 64 };
