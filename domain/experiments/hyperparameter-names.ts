/** Our name of each LoRA setting, and the path that a provider reads it from; what is not named is not sent. */
export interface HyperparameterNames {
  readonly epochs?: string | undefined;
  readonly batchSize?: string | undefined;
  readonly learningRate?: string | undefined;
  readonly schedule?: string | undefined;
  readonly warmupRatio?: string | undefined;
  readonly rank?: string | undefined;
  readonly alpha?: string | undefined;
  readonly dropout?: string | undefined;
  readonly targetModules?: string | undefined;
  /** How large a share of the rows the trainer may leave out; without a field it decides by itself. */
  readonly maxSetAsideShare?: string | undefined;
}

/** The model server's: OpenAI's names, and beside them those that its dialect lacks and LoRA needs. */
export const flywheelHyperparameters: HyperparameterNames = {
  epochs: 'n_epochs',
  batchSize: 'batch_size',
  learningRate: 'learning_rate',
  schedule: 'lr_scheduler_type',
  warmupRatio: 'warmup_ratio',
  rank: 'lora.rank',
  alpha: 'lora.alpha',
  dropout: 'lora.dropout',
  targetModules: 'lora.target_modules',
  maxSetAsideShare: 'max_set_aside_share',
};
