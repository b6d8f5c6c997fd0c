import { z } from 'zod';
import type { Embedder, EmbedRequest } from '../../activities/ports/embedder.ts';
import { RejectedError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { type Client, createClient, type ProviderSettings } from './client.ts';

const Embeddings = z.object({
  data: z.array(z.object({ index: z.number().int(), embedding: z.array(z.number()).min(1) })),
});

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
  const { data } = await client.call({
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
  const vectors = [...data].sort((a, b) => a.index - b.index).map(({ embedding }) => embedding);
  const lengths = new Set(vectors.map((vector) => vector.length));
  if (vectors.length === texts.length && lengths.size === 1) return vectors;
  throw new RejectedError(
    `Provider "${provider}" gave ${vectors.length} embeddings of length ${[...lengths].join(', ')} for ${texts.length} texts; one of one length each is needed.`,
  );
}
