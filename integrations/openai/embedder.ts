import type { Embedder, EmbedRequest } from '../../activities/ports/embedder.ts';
import type { JsonObject } from '../../domain/json.ts';
import { type Client, createClient, type ProviderSettings } from './client.ts';
import { Embeddings, toVectors } from './embeddings.schema.ts';

/** Embeddings of any OpenAI-dialect server; `extra` is sent beside what the dialect knows. */
export function createEmbedder(settings: ProviderSettings, extra: JsonObject = {}): Embedder {
  const client = createClient(settings);
  return { embed: (request) => embed(client, { provider: settings.name, extra }, request) };
}

async function embed(
  client: Client,
  { provider, extra }: { provider: string; extra: JsonObject },
  request: EmbedRequest,
): Promise<number[][]> {
  const { model, texts, timeoutMs, signal } = request;
  const reply = await client.call({
    doing: `embed with ${model}`,
    timeoutMs,
    ...(signal ? { signal } : {}),
    reply: Embeddings,
    // `float` is what every server of this dialect speaks; the package would ask for base64 by itself.
    send: (openai, options) =>
      openai.post('/embeddings', {
        ...options,
        body: { ...extra, model, input: [...texts], encoding_format: 'float' },
      }),
  });
  return toVectors(reply, { provider, texts });
}
