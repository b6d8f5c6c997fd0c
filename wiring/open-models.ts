import type { ArtifactStore } from '../activities/ports/artifact-store.ts';
import type { ChatModels } from '../activities/ports/chat-model.ts';
import type { Embedders } from '../activities/ports/embedder.ts';
import type { Trainers } from '../activities/ports/trainer.ts';
import { NotFoundError } from '../domain/errors.ts';
import {
  createChatModel as createNemoChatModel,
  createEmbedder as createNemoEmbedder,
} from '../integrations/nemo-microservices/chat-model.ts';
import { createTrainer as createNemoTrainer } from '../integrations/nemo-microservices/trainer.ts';
import { createChatModel as createPlatformChatModel } from '../integrations/nemo-platform/chat-model.ts';
import { createEmbedder as createPlatformEmbedder } from '../integrations/nemo-platform/embedder.ts';
import { createTrainer as createPlatformTrainer } from '../integrations/nemo-platform/trainer.ts';
import { createChatModel } from '../integrations/openai/chat-model.ts';
import { createEmbedder } from '../integrations/openai/embedder.ts';
import { createTrainer } from '../integrations/openai/trainer.ts';
import { byProvider, type Providers } from './by-provider.ts';

/** The configured providers' chat endpoints. */
export function openChatModels(config: Providers): ChatModels {
  return byProvider(config, (name, provider) => {
    if (provider.kind === 'nemo-microservices') return createNemoChatModel({ name, ...provider });
    if (provider.kind === 'nemo-platform') return createPlatformChatModel({ name, ...provider });
    return createChatModel({ name, ...provider });
  });
}

/** The configured providers' embedding endpoints. */
export function openEmbedders(config: Providers): Embedders {
  return byProvider(config, (name, provider) => {
    if (provider.kind === 'nemo-microservices') return createNemoEmbedder({ name, ...provider });
    if (provider.kind === 'nemo-platform') return createPlatformEmbedder({ name, ...provider });
    return createEmbedder({ name, ...provider });
  });
}

/** The configured providers' fine-tuning services. */
export function openTrainers(config: Providers, artifacts: ArtifactStore): Trainers {
  return byProvider(config, (name, provider) => {
    switch (provider.kind) {
      case 'openai':
        return createTrainer({ name, ...provider }, artifacts);
      case 'vllm':
        throw new NotFoundError(`Provider "${name}" does not train; name a \`trainer\` in candidates.yaml.`);
      case 'nemo-microservices':
        return createNemoTrainer({ name, ...provider }, artifacts, provider.training);
      case 'nemo-platform':
        return createPlatformTrainer({ name, ...provider }, artifacts);
    }
  });
}
