import { z } from 'zod';
import { RejectedError } from '../../domain/errors.ts';

/** The reply of OpenAI's `/embeddings`, as far as it is read. */
export const Embeddings = z.object({
  data: z.array(z.object({ index: z.number().int(), embedding: z.array(z.number()).min(1) })),
});

/** One vector per text, in the texts' order. Throws `RejectedError` where there are more, fewer, or of two lengths. */
export function toVectors(
  { data }: z.infer<typeof Embeddings>,
  { provider, texts }: { readonly provider: string; readonly texts: readonly string[] },
): number[][] {
  const vectors = [...data].sort((a, b) => a.index - b.index).map(({ embedding }) => embedding);
  const lengths = new Set(vectors.map((vector) => vector.length));
  if (vectors.length === texts.length && lengths.size === 1) return vectors;
  throw new RejectedError(
    `Provider "${provider}" gave ${vectors.length} embeddings of length ${[...lengths].join(', ')} for ${texts.length} texts; one of one length each is needed.`,
  );
}
