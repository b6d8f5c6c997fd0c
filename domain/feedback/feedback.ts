import type { Json } from '../json.ts';

/**
 * What someone, or what came of it, says about an answer.
 *
 * - `thumbs`: `up` or `down`.
 * - `score`: a number in [0, 1]; `name` says of what (`helpfulness`), if it is not the answer as a whole.
 * - `correction`: the answer as it should have been, an assistant message.
 * - `demonstration`: how a person did the work, as messages that end in the assistant's.
 * - `outcome`: what came of it, such as `{name: 'reward', value: 1}` or `{name: 'resolved', value: true}`.
 * - `signal`: what a user did, without meaning to judge; `name` is its kind: `{name: 'copied', value: true}`.
 * - `comment`: words alone. Each of the others may carry a comment too.
 */
export const feedbackKinds = [
  'thumbs',
  'score',
  'correction',
  'demonstration',
  'outcome',
  'signal',
  'comment',
] as const;
export type FeedbackKind = (typeof feedbackKinds)[number];

/** One piece of feedback. Immutable: a change of mind is another one, and the newer counts. */
export interface Feedback {
  /** `fb_` and a hash: of client and given key, else of everything below. The same id is stored once. */
  readonly id: string;
  /** sha256 of everything below: tells a repetition from a key used twice. */
  readonly hash: string;
  /** What it is about: one record, or a conversation as a whole. At least one of the two. */
  readonly recordId: string | null;
  readonly conversationId: string | null;
  readonly workloadId: string | null;
  /** Who sent it; the author is who said it. */
  readonly clientId: string | null;
  readonly kind: FeedbackKind;
  readonly name: string | null;
  /** By kind, as above; null for a `comment`. */
  readonly value: Json;
  readonly comment: string | null;
  readonly author: string | null;
  /** When it was given, where the sender says so. RFC 3339, UTC, milliseconds. */
  readonly givenAt: string | null;
}

export interface StoredFeedback extends Feedback {
  /** RFC 3339, UTC, on the lineage's clock. */
  readonly storedAt: string;
}
