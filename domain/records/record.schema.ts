import { z } from 'zod';
import { isPlainId, plainIdRule } from '../ids.ts';
import type { JsonObject } from '../json.ts';
import { readTimestamp } from './timestamp.ts';

/** A workload or client id. */
export const PlainId = z.string().refine(isPlainId, `must be ${plainIdRule}`);

/** Of whoever made it, and never more than compared and shown: short and without control characters. */
export const Name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}+$/u, 'has control characters');

const Verbatim = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);

/** `function` was OpenAI's word before tools: kept as it came, and set aside by curation. */
const Message = z.looseObject({
  role: z.enum(['developer', 'system', 'user', 'assistant', 'tool', 'function']),
});

/** What a request must have to be of any use; the rest of it is kept as it came. */
export const ChatRequestShape = z.looseObject({ messages: z.array(Message).min(1) });

/** What a response must have to be of any use. */
export const ChatResponseShape = z.looseObject({ choices: z.array(z.looseObject({})).min(1) });

export const Timestamp = z.unknown().transform((value, context) => {
  const timestamp = readTimestamp(value);
  if (timestamp !== null) return timestamp;
  context.addIssue({
    code: 'custom',
    message: 'must be ISO 8601, or seconds or milliseconds since 1970, in the years 2015 to 2100',
  });
  return z.NEVER;
});

/** A logged call on the wire: snake_case, OpenAI payloads inside. Unknown fields pass through. */
export const WireRecord = z.looseObject({
  id: Name.nullish(),
  timestamp: Timestamp,
  workload_id: PlainId,
  client_id: PlainId,
  conversation_id: Name.nullish(),
  request: Verbatim,
  response: Verbatim,
  model: z.string().min(1).nullish(),
  response_source: z.enum(['production', 'gold', 'flywheel']).nullish(),
  latency_ms: z.number().nonnegative().nullish(),
});

export type WireRecord = z.infer<typeof WireRecord>;
