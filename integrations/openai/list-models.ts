import { ModelList } from './chat.schema.ts';
import { createClient, type ProviderSettings } from './client.ts';

const timeoutMs = 30_000;

/** Ids of the models that a server serves. */
export function listModels(settings: ProviderSettings): Promise<string[]> {
  return createClient(settings).call({
    doing: 'list models',
    timeoutMs,
    reply: ModelList,
    send: (openai, options) => openai.get('/models', options),
  });
}
