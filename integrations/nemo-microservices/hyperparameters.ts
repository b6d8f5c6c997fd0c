import type { FineTuneRequest } from '../../activities/ports/trainer.ts';
import { RejectedError } from '../../domain/errors.ts';
import type { TrainingSettings } from './settings.ts';

/** How the training is laid out; a job's types have to be among its config's options. */
export function trainingOption(training: TrainingSettings) {
  return {
    training_type: 'sft',
    finetuning_type: 'lora',
    num_gpus: training.numGpus,
    micro_batch_size: training.microBatchSize,
  };
}

/**
 * Ours in Customizer's words. It knows no linear decay, so `linear` becomes cosine annealing too, which also falls
 * from the rate to a tenth of it. Warm-up is in whole steps, as many as the model server makes of the share.
 */
export function toHyperparameters({ hyperparameters: lora, seed, train }: FineTuneRequest) {
  if (!Number.isInteger(Math.log2(lora.rank))) {
    throw new RejectedError(
      `LoRA rank ${lora.rank} cannot be trained by NeMo Customizer: it takes powers of two. Change lora.rank in candidates.yaml.`,
    );
  }
  const steps = lora.epochs * Math.ceil(train.rows / lora.batchSize);
  return {
    training_type: 'sft',
    finetuning_type: 'lora',
    epochs: lora.epochs,
    batch_size: lora.batchSize,
    learning_rate: lora.learningRate,
    optimizer: lora.schedule === 'constant' ? 'adamw_with_flat_lr' : 'adamw_with_cosine_annealing',
    warmup_steps: Math.floor(lora.warmupRatio * steps),
    // Else a hundredth, and the same candidate would be another training than at our model server.
    weight_decay: 0,
    seed,
    // Ten points of a loss curve for short trainings too; ten steps is the service's default.
    log_every_n_steps: Math.max(1, Math.min(10, Math.floor(steps / 10))),
    lora: {
      adapter_dim: lora.rank,
      adapter_dropout: lora.dropout,
      alpha: Math.max(1, Math.round(lora.alpha)),
      ...(lora.targetModules && { target_modules: lora.targetModules }),
    },
  };
}
