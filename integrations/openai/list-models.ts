import { ModelList } from './chat.schema.ts';
import type { Client } from './client.ts';

/** Listing computes little; a loaded CPU server may still take seconds. */
const timeoutMs = 30_000;

/** Ids of the models that a server serves. */
export function listModels(client: Client): Promise<string[]> {
  return client.call({
    doing: 'list models',
    timeoutMs,
    reply: ModelList,
    send: (openai, options) => openai.get('/models', options),
  });
}
