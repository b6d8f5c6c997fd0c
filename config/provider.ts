import { dirname, resolve } from 'node:path';
import type { FineTuningDialect } from '../domain/experiments/fine-tuning-dialect.ts';
import { toDialect } from './fine-tuning-dialects.ts';
import type { ProviderEntry } from './providers-schema.ts';

interface Endpoint {
  /** Where chat completions are: what the `openai` package takes, ending in the version, `/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
}

/** Hardware and limits of a training job. */
export interface NemoTraining {
  readonly maxSeqLength: number;
  readonly numGpus: number;
  readonly microBatchSize: number;
  readonly precision: 'int8' | 'bf16' | 'fp16' | 'fp32' | 'fp8-mixed' | 'bf16-mixed';
}

/** The container that serves a base model. */
export interface NimContainer {
  readonly image: string;
  readonly tag: string;
  readonly gpus: number;
  readonly volumeSize?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Serves models, and may train them and evaluate them; `kind` is the dialect that it speaks. */
export type Provider =
  | (Endpoint & {
      readonly kind: 'openai';
      /** Whether it has OpenAI's fine-tuning endpoints; without them nothing is trained there. */
      readonly fineTuning: boolean;
      readonly dialect: FineTuningDialect;
    })
  | (Endpoint & {
      readonly kind: 'vllm';
      /** Absolute; null: no adapters are served there. */
      readonly adapters: { readonly folder: string; readonly seenAs: string } | null;
    })
  | (Endpoint & {
      readonly kind: 'nemo-microservices';
      readonly url: string;
      readonly nimUrl: string;
      readonly dataStoreUrl: string;
      readonly namespace: string;
      readonly evaluator: 'flywheel' | 'nemo';
      readonly training: NemoTraining;
      /** By base model. */
      readonly nims: Readonly<Record<string, NimContainer>>;
    })
  | {
      readonly kind: 'nemo-platform';
      /** Its root; where a model answers is a matter of the model's workspace. */
      readonly url: string;
      readonly apiKey: string | null;
      readonly workspace: string;
      readonly evaluator: 'flywheel' | 'nemo';
      readonly customizer: 'automodel' | 'unsloth' | 'peft';
      /** Absent: the customizer's own default (`integrations/nemo-platform/customization.ts`). */
      readonly training?: Pick<NemoTraining, 'maxSeqLength'>;
      /** Root of our model server behind it, where there is one. */
      readonly modelServer?: string;
    };

/** Whether candidates can be fine-tuned there. */
export function trains(provider: Provider): boolean {
  return provider.kind === 'openai' ? provider.fineTuning : provider.kind !== 'vllm';
}

/** `file` is where the entry stands: folders are relative to it. */
export function toProvider(entry: ProviderEntry, apiKey: string | null, file: string): Provider {
  switch (entry.kind) {
    case 'openai': {
      const { kind, url: baseUrl, fine_tuning: fineTuning } = entry;
      return { kind, baseUrl, apiKey, fineTuning, dialect: toDialect(entry.dialect) };
    }
    case 'vllm': {
      const { kind, url: baseUrl, adapters } = entry;
      const folder = adapters && resolve(dirname(file), adapters.folder);
      return {
        ...{ kind, baseUrl, apiKey },
        adapters: folder ? { folder, seenAs: adapters.seen_as ?? folder } : null,
      };
    }
    case 'nemo-microservices':
      return toMicroservices(entry, apiKey);
    case 'nemo-platform': {
      const { kind, workspace, evaluator, customizer, training, model_server_url: modelServer } = entry;
      return {
        ...{ kind, apiKey, url: withoutSlash(entry.url), workspace, evaluator, customizer },
        ...(training && { training: { maxSeqLength: training.max_seq_length } }),
        ...(modelServer && { modelServer: withoutSlash(modelServer) }),
      };
    }
  }
}

function toMicroservices(
  entry: Extract<ProviderEntry, { kind: 'nemo-microservices' }>,
  apiKey: string | null,
): Provider {
  const { kind, namespace, evaluator, training, nims } = entry;
  const url = withoutSlash(entry.url);
  const nimUrl = withoutSlash(entry.nim_url);
  return {
    ...{ kind, baseUrl: `${nimUrl}/v1`, apiKey, url, nimUrl, namespace, evaluator },
    dataStoreUrl: withoutSlash(entry.data_store_url ?? url),
    training: {
      maxSeqLength: training.max_seq_length,
      numGpus: training.num_gpus,
      microBatchSize: training.micro_batch_size,
      precision: training.precision,
    },
    nims: Object.fromEntries(
      Object.entries(nims).map(([model, { image, tag, gpus, volume_size: volumeSize, env }]) => [
        model,
        { image, tag, gpus, ...(volumeSize && { volumeSize }), ...(env && { env }) },
      ]),
    ),
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
