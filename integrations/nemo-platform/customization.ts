import type { FineTuneRequest } from '../../activities/ports/trainer.ts';
import { canonicalJson, sha256 } from '../../domain/hash.ts';
import { adapterName, jobName, type Reference, referenceText } from './names.ts';
import type { Customizer } from './settings.ts';

/** What a backend takes beyond the shape that they share. */
interface Backend {
  /** Its part of the path: `/apis/customization/v2/workspaces/{workspace}/{path}/jobs`. */
  readonly path: string;
  /** Whether it takes what its sister unsloth calls `lr_scheduler_type` and `warmup_ratio`, and LoRA's dropout. */
  readonly takesSchedule: boolean;
  /** Whether it sets rows aside, and tells which. */
  readonly setsAside: boolean;
  /** Whether a training that the platform lost goes on, and is found again by whoever submits it again. */
  readonly adopts: boolean;
}

export const backends: Readonly<Record<Customizer, Backend>> = {
  automodel: { path: 'automodel', takesSchedule: false, setsAside: false, adopts: false },
  peft: { path: 'peft', takesSchedule: true, setsAside: true, adopts: true },
};

export interface CustomizationData {
  readonly model: Reference;
  readonly train: Reference;
  readonly validation: Reference | null;
}

/** The body of a customization job: automodel's shape (`AutomodelJobInput`), one GPU. */
export function toJobBody(request: FineTuneRequest, data: CustomizationData, customizer: Customizer) {
  const { hyperparameters: lora, metadata, maxSetAsideShare } = request;
  const { takesSchedule, setsAside } = backends[customizer];
  return {
    name: jobName('tune', request.key),
    description: 'Made by Flywheel.',
    custom_fields: { ...metadata, flywheel_key: request.key, training_id: trainingId(request) },
    spec: {
      model: referenceText(data.model),
      dataset: {
        training: referenceText(data.train),
        ...(data.validation && { validation: referenceText(data.validation) }),
      },
      training: {
        training_type: 'sft',
        finetuning_type: 'lora',
        ...(setsAside && maxSetAsideShare !== undefined && { max_set_aside_share: maxSetAsideShare }),
        lora: {
          rank: lora.rank,
          alpha: lora.alpha,
          ...(takesSchedule && { dropout: lora.dropout }),
          ...(lora.targetModules && { target_modules: lora.targetModules }),
        },
      },
      schedule: {
        epochs: lora.epochs,
        seed: request.seed,
        ...(takesSchedule && { lr_scheduler_type: lora.schedule, warmup_ratio: lora.warmupRatio }),
      },
      batch: { global_batch_size: lora.batchSize, micro_batch_size: 1 },
      optimizer: {
        learning_rate: lora.learningRate,
        // Automodel's default is a hundredth: the same candidate is the same training everywhere.
        weight_decay: 0,
        ...(!takesSchedule && { warmup_steps: warmupSteps(request) }),
      },
      output: { name: adapterName(request.suffix, request.key) },
    },
  };
}

/** The same for every round of one training: a backend that lost its job finds by it what went on without it. */
function trainingId(request: FineTuneRequest): string {
  return sha256(canonicalJson({ ...request, key: null })).slice(0, 32);
}

function warmupSteps({
  train,
  hyperparameters: { warmupRatio, epochs, batchSize },
}: FineTuneRequest): number {
  return Math.floor(warmupRatio * epochs * Math.ceil(train.rows / batchSize));
}
