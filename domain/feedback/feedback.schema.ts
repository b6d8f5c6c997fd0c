import { z } from 'zod';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { Name, PlainId, Timestamp } from '../records/record.schema.ts';

/** A comment is a person's words, not a file. */
const maxCommentLength = 20_000;

const Scalar = z.union([z.boolean(), z.number(), z.string().min(1).max(2_000)]);
const Comment = z.string().trim().min(1).max(maxCommentLength);

/** An assistant message; text alone is one. */
const Answer = z.union([z.string().min(1), z.custom<JsonObject>(isAssistant)], {
  error: 'must be the answer as text, or an assistant message {role: "assistant", content | tool_calls}',
});

const Demonstration = z.custom<JsonObject[]>(
  (value) => Array.isArray(value) && value.every(isMessage) && isAssistant(value.at(-1)),
  'must be a list of messages that ends in the assistant’s',
);

const about = {
  key: z.string().min(1).max(200).nullish(),
  record_id: Name.nullish(),
  conversation_id: Name.nullish(),
  workload_id: PlainId.nullish(),
  client_id: PlainId.nullish(),
  author: Name.nullish(),
  timestamp: Timestamp.nullish(),
};
/** What most kinds have none of. */
const unnamed = { name: z.null().optional() };

/** Feedback on the wire, snake_case. Unknown fields are refused: a misspelt one would be lost in silence. */
export const WireFeedback = z
  .discriminatedUnion('kind', [
    z.strictObject({
      ...{ ...about, ...unnamed, kind: z.literal('thumbs') },
      ...{ value: z.enum(['up', 'down']), comment: Comment.nullish() },
    }),
    z.strictObject({
      ...{ ...about, name: Name.nullish(), kind: z.literal('score') },
      ...{ value: z.number().min(0).max(1), comment: Comment.nullish() },
    }),
    z.strictObject({
      ...{ ...about, ...unnamed, kind: z.literal('correction') },
      ...{ value: Answer.transform(toMessage), comment: Comment.nullish() },
    }),
    z.strictObject({
      ...{ ...about, ...unnamed, kind: z.literal('demonstration') },
      ...{ value: Demonstration, comment: Comment.nullish() },
    }),
    z.strictObject({
      ...{ ...about, name: Name.nullish(), kind: z.literal('outcome') },
      ...{ value: Scalar, comment: Comment.nullish() },
    }),
    z.strictObject({
      ...{ ...about, name: Name, kind: z.literal('signal') },
      ...{ value: Scalar, comment: Comment.nullish() },
    }),
    z.strictObject({
      ...{ ...about, ...unnamed, kind: z.literal('comment') },
      ...{ value: z.null().optional(), comment: Comment },
    }),
  ])
  .refine((wire) => wire.record_id != null || wire.conversation_id != null, {
    path: ['record_id'],
    message: 'is missing, and so is conversation_id: say what the feedback is about',
  });

export type WireFeedback = z.infer<typeof WireFeedback>;

function toMessage(answer: string | JsonObject): Json {
  return typeof answer === 'string' ? { role: 'assistant', content: answer } : answer;
}

function isMessage(value: unknown): value is JsonObject {
  return isJsonObject(value) && typeof value['role'] === 'string';
}

function isAssistant(value: unknown): value is JsonObject {
  if (!isMessage(value) || value['role'] !== 'assistant') return false;
  return typeof value['content'] === 'string' || Array.isArray(value['tool_calls']);
}
