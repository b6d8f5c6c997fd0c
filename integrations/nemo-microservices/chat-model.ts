import type { ChatModel } from '../../activities/ports/chat-model.ts';
import type { Embedder } from '../../activities/ports/embedder.ts';
import { RejectedError } from '../../domain/errors.ts';
import { createChatModel as createOpenAiChatModel } from '../openai/chat-model.ts';
import type { ProviderSettings } from '../openai/client.ts';
import { createEmbedder as createOpenAiEmbedder } from '../openai/embedder.ts';
import type { NemoSettings } from './settings.ts';

/**
 * Chat completions of the NIMs behind the proxy, base models and adapters alike. `isServed` tells whether a NIM
 * lists the model: an adapter only a minute or three after its training, when its NIM has asked for new ones.
 */
export function createChatModel(settings: NemoSettings): ChatModel {
  const chatModel = createOpenAiChatModel(toProvider(settings));
  return {
    ...chatModel,
    complete: (request) => chatModel.complete(request).catch(named(request.model)),
  };
}

/**
 * Embeddings of a NIM. NVIDIA's retrieval models want to be told which side of a search a text is on; questions
 * are compared with questions here, so both are queries.
 */
export function createEmbedder(settings: NemoSettings): Embedder {
  const embedder = createOpenAiEmbedder(toProvider(settings), { input_type: 'query' });
  return { embed: (request) => embedder.embed(request).catch(named(request.model)) };
}

function toProvider({ nimUrl, ...settings }: NemoSettings): ProviderSettings {
  return { ...settings, baseUrl: `${nimUrl.replace(/\/+$/, '')}/v1` };
}

/** The proxy's 404 has no code: below these paths it means the model. */
function named(model: string) {
  return (error: unknown): never => {
    if (!(error instanceof RejectedError && error.code === 'not_found')) throw error;
    throw new RejectedError(`${error.message} No NIM serves ${model}.`, { code: 'model_not_found' });
  };
}
