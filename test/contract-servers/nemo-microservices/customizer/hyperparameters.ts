import type { JsonObject } from '../../../../domain/json.ts';
import type { CreateJob } from './job.ts';

/** Which of a Llama's own layers are meant by the names of the fused ones. */
const fused: Readonly<Record<string, readonly string[]>> = {
  linear_qkv: ['q_proj', 'k_proj', 'v_proj'],
  linear_proj: ['o_proj'],
  linear_fc1: ['gate_proj', 'up_proj'],
  linear_fc2: ['down_proj'],
};

/**
 * Customizer's hyperparameters in the model server's words. Cosine annealing ends at zero there, not at a tenth
 * of the rate; warm-up is a share of the steps.
 */
export function toModelServer(request: CreateJob, totalSteps: number): JsonObject {
  const { hyperparameters: given } = request;
  const { lora } = given;
  return {
    n_epochs: given.epochs,
    batch_size: given.batch_size,
    learning_rate: given.learning_rate,
    lr_scheduler_type: given.optimizer?.endsWith('flat_lr') ? 'constant' : 'cosine',
    // Rounded down to whole steps there: half a step keeps the division from losing one.
    warmup_ratio: given.warmup_steps ? Math.min((given.warmup_steps + 0.5) / totalSteps, 0.99) : 0,
    weight_decay: given.weight_decay ?? 0.01,
    lora: {
      rank: lora.adapter_dim,
      alpha: lora.alpha,
      dropout: lora.adapter_dropout ?? 0,
      ...(lora.target_modules && {
        target_modules: lora.target_modules.flatMap((name) => fused[name] ?? [name]),
      }),
    },
  };
}
