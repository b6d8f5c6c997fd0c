import type { Hono } from 'hono';
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../../../domain/json.ts';
import { type Kind, keyOf, mountCrud } from '../crud.ts';
import { newEntity } from '../entity.ts';
import { fail } from '../replies.ts';
import { text } from '../text.ts';
import type { World } from '../world.ts';

const TrainingOption = z.looseObject({
  training_type: z.enum(['sft', 'dpo', 'distillation', 'grpo']),
  finetuning_type: z.enum(['lora', 'lora_merged', 'all_weights']),
  num_gpus: z.number().int().nonnegative(),
  micro_batch_size: z.number().int().positive(),
});
const CreateConfig = z.looseObject({
  /** The version part is mandatory since 25.6. */
  name: z
    .string()
    .regex(/^[^@]+@[^@]+$/, 'name must be <model>@<version>[+<label>]')
    .optional(),
  namespace: z.string().optional(),
  target: z.union([z.string(), z.looseObject({})]).optional(),
  max_seq_length: z.number().int().positive(),
  training_options: z.array(TrainingOption).min(1),
});

/** `/v1/customization/configs`: a name is taken whatever stands under it, so a changed option meets the old config. */
export function mountConfigs(app: Hono, world: World): void {
  mountCrud(app, {
    title: 'Customization config',
    path: '/v1/customization/configs',
    idPrefix: 'config',
    table: world.tables.customizationConfigs,
    create: CreateConfig as unknown as Kind['create'],
    complete: (config) => ({
      prompt_template: '{prompt} {completion}',
      training_precision: 'bf16-mixed',
      ...config,
      target: resolveTarget(world, config),
    }),
    filters: {
      target_base_model: (config, wanted) => (config['target'] as JsonObject)['base_model'] === wanted,
      target_name: (config, wanted) => (config['target'] as JsonObject)['name'] === wanted,
      target_enabled: (config, wanted) => text((config['target'] as JsonObject)['enabled']) === wanted,
    },
  });
}

/** The target that a config names as `namespace/name`, or brings with it. */
function resolveTarget(world: World, config: JsonObject): JsonObject {
  const { target = null } = config;
  if (isJsonObject(target)) {
    const made = newEntity('target', { status: 'ready', enabled: true, base_model: null, ...target });
    world.tables.customizationTargets.set(keyOf(made), made);
    return made;
  }
  const found = world.tables.customizationTargets.get(text(target));
  if (found) return found;
  throw fail(404, `Customization target ${text(target)} not found`);
}
