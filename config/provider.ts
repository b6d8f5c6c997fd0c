import { dirname, resolve } from 'node:path';
import {
  flywheelHyperparameters,
  type HyperparameterNames,
  openAiHyperparameters,
} from '../domain/experiments/hyperparameter-names.ts';
import type { ProviderEntry } from './providers-schema.ts';

interface Endpoint {
  /** Where chat completions are: what the `openai` package takes, ending in the version, `/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
}

/** Serves models, and may train them and evaluate them; `kind` is the dialect that it speaks. */
export type Provider =
  | (Endpoint & {
      readonly kind: 'openai';
      /** Whether it has OpenAI's fine-tuning endpoints; without them nothing is trained there. */
      readonly fineTuning: boolean;
      readonly hyperparameters: HyperparameterNames;
    })
  | (Endpoint & {
      readonly kind: 'vllm';
      /** Absolute; null: it finds adapters by itself. */
      readonly adapters: { readonly folder: string; readonly seenAs: string } | null;
    })
  | (Endpoint & {
      readonly kind: 'nemo-microservices';
      readonly url: string;
      readonly nimUrl: string;
      readonly dataStoreUrl: string;
      readonly namespace: string;
      readonly evaluator: 'flywheel' | 'nemo';
    })
  | (Endpoint & {
      readonly kind: 'nemo-platform';
      readonly url: string;
      readonly workspace: string;
      readonly evaluator: 'flywheel' | 'nemo';
    });

/** Whether candidates can be fine-tuned there. */
export function trains(provider: Provider): boolean {
  return provider.kind === 'openai' ? provider.fineTuning : provider.kind !== 'vllm';
}

/** `file` is where the entry stands: folders are relative to it. */
export function toProvider(entry: ProviderEntry, apiKey: string | null, file: string): Provider {
  switch (entry.kind) {
    case 'openai': {
      const { kind, url: baseUrl, fine_tuning: fineTuning } = entry;
      const hyperparameters = toNames(entry.hyperparameters);
      return { kind, baseUrl, apiKey, fineTuning, hyperparameters };
    }
    case 'vllm': {
      const { kind, url: baseUrl, adapters } = entry;
      const folder = adapters && resolve(dirname(file), adapters.folder);
      return {
        ...{ kind, baseUrl, apiKey },
        adapters: folder ? { folder, seenAs: adapters.seen_as ?? folder } : null,
      };
    }
    case 'nemo-microservices': {
      const { kind, namespace, evaluator } = entry;
      const url = withoutSlash(entry.url);
      const nimUrl = withoutSlash(entry.nim_url ?? url);
      const dataStoreUrl = withoutSlash(entry.data_store_url ?? url);
      return { kind, baseUrl: `${nimUrl}/v1`, apiKey, url, nimUrl, dataStoreUrl, namespace, evaluator };
    }
    case 'nemo-platform': {
      const { kind, workspace, evaluator } = entry;
      const url = withoutSlash(entry.url);
      const baseUrl = `${url}/apis/inference-gateway/v2/workspaces/${workspace}/openai/-/v1`;
      return { kind, baseUrl, apiKey, url, workspace, evaluator };
    }
  }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

type OpenAiEntry = Extract<ProviderEntry, { kind: 'openai' }>;

function toNames(names: OpenAiEntry['hyperparameters']): HyperparameterNames {
  if (names === 'flywheel') return flywheelHyperparameters;
  if (names === 'openai') return openAiHyperparameters;
  const {
    batch_size: batchSize,
    learning_rate: learningRate,
    warmup_ratio: warmupRatio,
    target_modules: targetModules,
    ...rest
  } = names;
  return { ...rest, batchSize, learningRate, warmupRatio, targetModules };
}
