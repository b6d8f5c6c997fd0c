import type { AdapterFiles } from '../activities/ports/adapter-files.ts';
import type { ArtifactStore } from '../activities/ports/artifact-store.ts';
import type { ChatModels } from '../activities/ports/chat-model.ts';
import type { Embedders } from '../activities/ports/embedder.ts';
import type { Trainers } from '../activities/ports/trainer.ts';
import type { Config } from '../config/config.ts';
import { NotFoundError } from '../domain/errors.ts';
import { createAdapterFiles } from '../integrations/openai/adapter-files.ts';
import { createChatModel } from '../integrations/openai/chat-model.ts';
import type { ProviderSettings } from '../integrations/openai/client.ts';
import { createEmbedder } from '../integrations/openai/embedder.ts';
import { createTrainer } from '../integrations/openai/trainer.ts';

/** The configured providers' chat endpoints. */
export function openChatModels(config: Pick<Config, 'providers'>): ChatModels {
  return remembered((provider) => createChatModel(settingsOf(config, provider)));
}

/** The configured providers' embedding endpoints. */
export function openEmbedders(config: Pick<Config, 'providers'>): Embedders {
  return remembered((provider) => createEmbedder(settingsOf(config, provider)));
}

/** The configured providers' fine-tuning endpoints. */
export function openTrainers(config: Pick<Config, 'providers'>, artifacts: ArtifactStore): Trainers {
  return remembered((provider) => createTrainer(settingsOf(config, provider), artifacts));
}

/** The configured providers' adapters, to be read. */
export function openAdapterFiles(config: Pick<Config, 'providers'>): (provider: string) => AdapterFiles {
  return (provider) => createAdapterFiles(settingsOf(config, provider));
}

function settingsOf({ providers }: Pick<Config, 'providers'>, name: string): ProviderSettings {
  const provider = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (provider) return { name, baseUrl: provider.baseUrl, apiKey: provider.apiKey };
  throw new NotFoundError(
    `Provider "${name}" is not configured; candidates.yaml has ${Object.keys(providers).join(', ')}.`,
  );
}

function remembered<T>(open: (name: string) => T): (name: string) => T {
  const opened = new Map<string, T>();
  return (name) => {
    const found = opened.get(name) ?? open(name);
    opened.set(name, found);
    return found;
  };
}
