import type { ArtifactStore } from '../activities/ports/artifact-store.ts';
import type { ChatModels } from '../activities/ports/chat-model.ts';
import type { Embedders } from '../activities/ports/embedder.ts';
import type { Trainers } from '../activities/ports/trainer.ts';
import type { Config } from '../config/config.ts';
import type { Provider } from '../config/provider.ts';
import { NotFoundError } from '../domain/errors.ts';
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

/** The configured providers' fine-tuning services. */
export function openTrainers(config: Pick<Config, 'providers'>, artifacts: ArtifactStore): Trainers {
  return remembered((name) => {
    const provider = providerOf(config, name);
    switch (provider.kind) {
      case 'openai':
        return createTrainer({ name, ...provider }, artifacts);
      case 'vllm':
        throw new NotFoundError(`Provider "${name}" does not train; name a \`trainer\` in candidates.yaml.`);
      case 'nemo-microservices':
      case 'nemo-platform':
        throw new NotFoundError(`Provider "${name}": training there is not built yet.`);
    }
  });
}

/** Whatever its kind, a provider answers chat and embeddings in OpenAI's dialect. */
function settingsOf(config: Pick<Config, 'providers'>, name: string): ProviderSettings {
  const { baseUrl, apiKey } = providerOf(config, name);
  return { name, baseUrl, apiKey };
}

function providerOf({ providers }: Pick<Config, 'providers'>, name: string): Provider {
  const provider = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (provider) return provider;
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
