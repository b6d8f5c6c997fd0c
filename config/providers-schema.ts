import { z } from 'zod';
import { DialectEntry } from './fine-tuning-dialects.ts';

const url = z.url({ protocol: /^https?$/, error: 'must be a URL such as https://host' });
const versionedUrl = z.url({
  protocol: /^https?$/,
  error: 'must be a URL ending in its version, such as https://host/v1',
});
/** The variable that holds the key: keys never stand in a file. */
const apiKeyEnv = z.string().min(1).optional();
/** Who asks and scores the items: Flywheel itself, or the provider's own service, whose rows are read back. */
const evaluator = z.enum(['flywheel', 'nemo']).default('flywheel');
/** Where Flywheel keeps what it makes there. */
const place = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be lower case: letters, digits and dashes')
  .default('flywheel');

/** OpenAI's dialect: chat completions, and its files and fine-tuning jobs where they are said to be there. */
const OpenAiProvider = z.strictObject({
  kind: z.literal('openai'),
  url: versionedUrl,
  api_key_env: apiKeyEnv,
  fine_tuning: z.boolean().default(false),
  /** What its jobs' requests look like: a known dialect, or one like it. */
  dialect: DialectEntry.prefault('flywheel'),
});

/** vLLM with `--enable-lora` and VLLM_ALLOW_RUNTIME_LORA_UPDATING: serves what another provider trained. */
const VllmProvider = z.strictObject({
  kind: z.literal('vllm'),
  url: versionedUrl,
  api_key_env: apiKeyEnv,
  /** Where adapters are put for it to read: a folder as we see it, and the same as it does. */
  adapters: z.strictObject({ folder: z.string().min(1), seen_as: z.string().min(1).optional() }).optional(),
});

/** Hardware and limits of a training there; the defaults are the blueprint's. */
const TrainingEntry = z
  .strictObject({
    max_seq_length: z.number().int().min(1).default(8192),
    num_gpus: z.number().int().min(1).default(1),
    micro_batch_size: z.number().int().min(1).default(1),
    precision: z.enum(['int8', 'bf16', 'fp16', 'fp32', 'fp8-mixed', 'bf16-mixed']).default('bf16-mixed'),
  })
  .prefault({});

const NimEntry = z.strictObject({
  image: z.string().min(1),
  tag: z.string().min(1),
  gpus: z.number().int().min(0).default(1),
  volume_size: z.string().min(1).optional(),
  env: z.record(z.string(), z.string()).optional(),
});

/** NeMo Microservices v1 (25.x). One URL where its ingress has every service under one host. */
const NemoMicroservicesProvider = z.strictObject({
  kind: z.literal('nemo-microservices'),
  url,
  /** The NIM proxy: a host of its own, for `/v1/models` means another thing at the platform's. */
  nim_url: url,
  /** `url` unless said. */
  data_store_url: url.optional(),
  namespace: place,
  api_key_env: apiKeyEnv,
  evaluator,
  training: TrainingEntry,
  /** By base model: the container that serves it, where Flywheel has to deploy it. */
  nims: z.record(z.string(), NimEntry).default({}),
});

/** NeMo Platform v2 (`nemo-platform` 0.3). */
const NemoPlatformProvider = z.strictObject({
  kind: z.literal('nemo-platform'),
  url,
  workspace: place,
  api_key_env: apiKeyEnv,
  evaluator,
  /** Which of its customization backends trains: one of its own, or our plug-in (nemo-peft-plugin/). */
  customizer: z.enum(['automodel', 'unsloth', 'peft']).default('automodel'),
  /** Tokens that a row may have; what is longer automodel and unsloth cut, and our plug-in sets aside. */
  training: z.strictObject({ max_seq_length: z.number().int().min(1) }).optional(),
  /** Our model server behind its gateway, which does not pass on the request that counts tokens. */
  model_server_url: url.optional(),
});

const kinds = [OpenAiProvider, VllmProvider, NemoMicroservicesProvider, NemoPlatformProvider] as const;

/** One provider of `candidates.yaml`; without a `kind` it speaks OpenAI's dialect. */
export const ProviderEntry = z.preprocess(
  (entry) =>
    typeof entry === 'object' && entry !== null && !('kind' in entry) ? { kind: 'openai', ...entry } : entry,
  z.discriminatedUnion('kind', kinds),
);
export type ProviderEntry = z.infer<typeof ProviderEntry>;
