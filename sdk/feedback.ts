import type { Json, JsonObject } from '../domain/json.ts';

/** What the feedback is about: a completion of this process, a record by its id, or a whole conversation. */
export type FeedbackSubject =
  | { readonly completion: { readonly id: string } }
  | { readonly recordId: string }
  | { readonly conversationId: string };

export type FeedbackContent =
  | { readonly kind: 'thumbs'; readonly value: 'up' | 'down' }
  /** In [0, 1]. */
  | { readonly kind: 'score'; readonly value: number; readonly name?: string }
  /** The answer as it should have been: its text, or an assistant message. */
  | { readonly kind: 'correction'; readonly value: string | JsonObject }
  /** How a person did it: messages that end in the assistant's. */
  | { readonly kind: 'demonstration'; readonly value: readonly JsonObject[] }
  | { readonly kind: 'outcome'; readonly value: boolean | number | string; readonly name?: string }
  /** What a user did without meaning to judge: `{name: 'copied', value: true}`. */
  | { readonly kind: 'signal'; readonly value: boolean | number | string; readonly name: string }
  | { readonly kind: 'comment'; readonly comment: string };

export type Feedback = FeedbackSubject &
  FeedbackContent & {
    readonly comment?: string;
    /** Who said it. */
    readonly author?: string;
    /** The same key is stored once. Default: random, so that each call is feedback of its own. */
    readonly key?: string;
  };

/** As `POST /v1/feedback` takes it. */
export function toWire(
  feedback: Feedback,
  facts: { recordId: string | null; workloadId: string; clientId: string; key: string; at: Date },
): JsonObject {
  const { kind, comment, author, key = facts.key } = feedback;
  const { name, value } = feedback as { readonly name?: string; readonly value?: Json };
  return {
    ...{ kind, key, workload_id: facts.workloadId, client_id: facts.clientId },
    ...(facts.recordId !== null && { record_id: facts.recordId }),
    ...('conversationId' in feedback && { conversation_id: feedback.conversationId }),
    ...(name !== undefined && { name }),
    ...(value !== undefined && { value }),
    ...(comment !== undefined && { comment }),
    ...(author !== undefined && { author }),
    // A key of the caller's own means: the same feedback whenever it is said.
    ...(feedback.key === undefined && { timestamp: facts.at.toISOString() }),
  };
}
