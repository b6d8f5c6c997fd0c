import type { FineTuneRequest } from '../../activities/ports/trainer.ts';
import { adapterName, type Reference, referenceText } from './names.ts';

/** Where a job finds what it reads. */
export interface CustomizationData {
  readonly model: Reference;
  readonly train: Reference;
  readonly validation: Reference | null;
  /** Tokens that a row may have; null: what the backend does by itself. */
  readonly maxSeqLength: number | null;
}

/** `AutomodelJobInput`, on one GPU. */
export function automodelSpec(request: FineTuneRequest, data: CustomizationData) {
  const { hyperparameters: lora } = request;
  return {
    ...automodelShape(request, data),
    training: { ...loraType, ...limitOf(data), lora: loraOf(request) },
    schedule: { epochs: lora.epochs, seed: request.seed },
    optimizer: {
      ...optimizerOf(request),
      lr_decay_style: lora.schedule,
      // It takes steps, not a share of them.
      warmup_steps: warmupSteps(request),
    },
  };
}

/** `UnslothJobInput`: one GPU, the base model as it is, not in its default of four bits. */
export function unslothSpec(request: FineTuneRequest, data: CustomizationData) {
  const { hyperparameters: lora, seed } = request;
  const { model, train, validation } = data;
  return {
    model: { name: referenceText(model), ...limitOf(data), load_in_4bit: false },
    dataset: {
      path: referenceText(train),
      ...(validation && { validation_path: referenceText(validation) }),
      apply_chat_template: true,
    },
    training: { ...loraType, lora: { ...loraOf(request), random_state: seed } },
    schedule: { epochs: lora.epochs, seed, ...scheduleOf(request) },
    batch: { per_device_train_batch_size: 1, gradient_accumulation_steps: lora.batchSize },
    optimizer: { ...optimizerOf(request), optim: 'adamw_torch' },
    output: { name: adapterName(request.suffix, request.key), save_method: 'lora' },
  };
}

/** Our plug-in's: automodel's shape, with the schedule as unsloth calls it. */
export function peftSpec(request: FineTuneRequest, data: CustomizationData) {
  const { hyperparameters: lora, maxSetAsideShare } = request;
  return {
    ...automodelShape(request, data),
    training: {
      ...loraType,
      ...limitOf(data),
      ...(maxSetAsideShare !== undefined && { max_set_aside_share: maxSetAsideShare }),
      lora: loraOf(request),
    },
    schedule: { epochs: lora.epochs, seed: request.seed, ...scheduleOf(request) },
    optimizer: optimizerOf(request),
  };
}

const loraType = { training_type: 'sft', finetuning_type: 'lora' };

function automodelShape(request: FineTuneRequest, { model, train, validation }: CustomizationData) {
  return {
    model: referenceText(model),
    dataset: {
      training: referenceText(train),
      ...(validation && { validation: referenceText(validation) }),
    },
    batch: { global_batch_size: request.hyperparameters.batchSize, micro_batch_size: 1 },
    output: { name: adapterName(request.suffix, request.key) },
  };
}

function limitOf({ maxSeqLength }: CustomizationData) {
  return maxSeqLength !== null && { max_seq_length: maxSeqLength };
}

function loraOf({ hyperparameters: { rank, alpha, dropout, targetModules } }: FineTuneRequest) {
  return { rank, alpha, dropout, ...(targetModules && { target_modules: targetModules }) };
}

function scheduleOf({ hyperparameters: { schedule, warmupRatio } }: FineTuneRequest) {
  return { lr_scheduler_type: schedule, warmup_ratio: warmupRatio };
}

function optimizerOf({ hyperparameters: { learningRate } }: FineTuneRequest) {
  // Automodel's default of weight decay is a hundredth: the same candidate is the same training everywhere.
  return { learning_rate: learningRate, weight_decay: 0 };
}

function warmupSteps({ train, hyperparameters }: FineTuneRequest): number {
  const { warmupRatio, epochs, batchSize } = hyperparameters;
  return Math.floor(warmupRatio * epochs * Math.ceil(train.rows / batchSize));
}
