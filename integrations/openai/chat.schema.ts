import { z } from 'zod';
import type { JsonObject } from '../../domain/json.ts';

const Completion = z.object({ choices: z.array(z.object({ message: z.object({}) })).min(1) });

/** A chat completion, kept verbatim: what is stored with an item is what the server said. */
export const ChatCompletion = z.custom<JsonObject>(
  (value) => Completion.safeParse(value).success,
  'not a chat completion with at least one choice',
);

/** `GET /v1/models`: the ids. */
export const ModelList = z
  .object({ data: z.array(z.object({ id: z.string() })) })
  .transform(({ data }) => data.map(({ id }) => id));

/** vLLM's `POST /tokenize`. */
export const Tokenization = z
  .object({ count: z.int().nonnegative(), max_model_len: z.int().positive() })
  .transform((reply) => ({ count: reply.count, contextLength: reply.max_model_len }));
