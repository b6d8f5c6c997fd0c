import { expect, test } from 'vitest';
import type { FineTuneRequest } from '../../../activities/ports/trainer.ts';
import { maxSeqLengthOf, toJobBody } from '../../../integrations/nemo-platform/customization.ts';
import type { Customizer } from '../../../integrations/nemo-platform/settings.ts';
import { customizationSchemas } from '../../support/nemo-job-schemas.ts';

const artifact = { uri: 'artifact:x', sha256: 'a'.repeat(64), bytes: 10, rows: 100 };
const request: FineTuneRequest = {
  ...{ key: 'run-1-abc', baseModel: 'llama', train: artifact, validation: artifact, seed: 7, suffix: 'hr' },
  hyperparameters: {
    ...{ epochs: 3, batchSize: 8, learningRate: 2e-4, schedule: 'cosine', warmupRatio: 0.1 },
    ...{ rank: 16, alpha: 32, dropout: 0.05, targetModules: ['q_proj', 'v_proj'] },
  },
  metadata: { run_id: 'run-1' },
  maxSetAsideShare: 0.1,
};
const data = {
  model: { workspace: 'flywheel', name: 'llama' },
  train: { workspace: 'flywheel', name: 'rows' },
  validation: { workspace: 'flywheel', name: 'held-out' },
  maxSeqLength: 4096,
};
const { hyperparameters: full } = request;
const { targetModules: _, ...few } = full;
const fewest = { ...request, hyperparameters: few };
const sent = (customizer: Customizer) => toJobBody(request, data, customizer);

test.each(['automodel', 'unsloth'] as const)(
  'the platform takes the job that we make for %s',
  async (customizer) => {
    const schema = (await customizationSchemas())[customizer];

    for (const body of [
      sent(customizer),
      toJobBody(fewest, { ...data, validation: null, maxSeqLength: null }, customizer),
    ])
      expect(schema.safeParse(body).error?.issues).toBeUndefined();

    // It is closed, all the way down.
    const body = sent(customizer);
    for (const part of ['training', 'schedule', 'batch', 'optimizer', 'dataset', 'output'] as const) {
      const spec = { ...body.spec, [part]: { ...(body.spec as Record<string, object>)[part], no_such: 1 } };
      expect(schema.safeParse({ ...body, spec }).error?.issues, part).toMatchObject([{ keys: ['no_such'] }]);
    }
  },
);

test('each setting of a candidate reaches automodel', () => {
  expect(sent('automodel').spec).toMatchObject({
    model: 'flywheel/llama',
    dataset: { training: 'flywheel/rows', validation: 'flywheel/held-out' },
    training: {
      max_seq_length: 4096,
      lora: { rank: 16, alpha: 32, dropout: 0.05, target_modules: ['q_proj', 'v_proj'] },
    },
    schedule: { epochs: 3, seed: 7 },
    batch: { global_batch_size: 8 },
    // 3 epochs of 13 steps, a tenth of them.
    optimizer: { learning_rate: 2e-4, weight_decay: 0, lr_decay_style: 'cosine', warmup_steps: 3 },
  });
});

test('each setting of a candidate reaches unsloth', () => {
  expect(sent('unsloth').spec).toMatchObject({
    model: { name: 'flywheel/llama', max_seq_length: 4096, load_in_4bit: false },
    dataset: { path: 'flywheel/rows', validation_path: 'flywheel/held-out', apply_chat_template: true },
    training: { lora: { rank: 16, alpha: 32, dropout: 0.05, target_modules: ['q_proj', 'v_proj'] } },
    schedule: { epochs: 3, seed: 7, lr_scheduler_type: 'cosine', warmup_ratio: 0.1 },
    batch: { per_device_train_batch_size: 1, gradient_accumulation_steps: 8 },
    optimizer: { learning_rate: 2e-4, weight_decay: 0 },
  });
});

test('our plug-in is told of a longest row only where somebody says one', () => {
  expect(sent('peft').spec).toMatchObject({ training: { max_seq_length: 4096 } });
  const unsaid = toJobBody(request, { ...data, maxSeqLength: null }, 'peft');
  expect(unsaid.spec).not.toHaveProperty('training.max_seq_length');
  // What the plug-in adopts is a training of the same rows.
  expect(unsaid.custom_fields.training_id).not.toBe(sent('peft').custom_fields.training_id);
});

test.each([
  ['automodel', undefined, null, 8192],
  ['unsloth', undefined, null, 8192],
  ['unsloth', undefined, 4096, 4096],
  ['automodel', 2048, 4096, 2048],
  ['automodel', 16_384, null, 16_384],
  ['peft', undefined, 4096, null],
  ['peft', 512, null, 512],
] as const)(
  '%s, told %s, of a model that takes %s: rows of %s tokens',
  (customizer, told, context, expected) => {
    const settings = { name: 'nemo', url: 'http://h', workspace: 'flywheel', apiKey: null, customizer };
    const training = told !== undefined && { training: { maxSeqLength: told } };
    const entity = { name: 'llama', model_providers: [], spec: context && { context_size: context } };

    expect(maxSeqLengthOf({ ...settings, ...training }, entity)).toBe(expected);
  },
);
