import type { FeedbackKind, StoredFeedback } from '../feedback/feedback.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { StoredRecord } from '../records/record.ts';

/** What was said about each record, by record id: about the record itself first, newest first. */
export type FeedbackByRecord = ReadonlyMap<string, readonly StoredFeedback[]>;

/** What curation makes of a record in the light of its feedback. `by` is the feedback that decided. */
export type Heard =
  | { readonly record: StoredRecord; readonly by: string | null }
  | { readonly record: null; readonly reason: 'thumbs_down' | 'failed_outcome'; readonly by: string };

/**
 * The record to learn from: with the answer that a person gave in its place, or none where its own was no good.
 *
 * - A `correction` or `demonstration` of the record is its target, whoever answered it at first.
 * - Else thumbs `down`, or an `outcome` that failed (`false`, a number of 0 or less, "failed", "failure"), leave it
 *   out: it is neither trained on nor scored against.
 *
 * Of each sort, and of each name of an outcome, only what stands first counts. Scores, signals and comments inform
 * people alone.
 */
export function applyFeedback(record: StoredRecord, feedback: readonly StoredFeedback[]): Heard {
  const redone = feedback.find((piece) => piece.recordId === record.id && isAnswer(piece.kind));
  if (redone) return { record: redo(record, redone), by: redone.id };
  const thumbs = feedback.find(({ kind }) => kind === 'thumbs');
  if (thumbs?.value === 'down') return { record: null, reason: 'thumbs_down', by: thumbs.id };
  const outcomes = feedback.filter(({ kind }) => kind === 'outcome');
  const failed = outcomes.find((piece) => isFailure(piece.value) && isFirstOfItsName(piece, outcomes));
  if (failed) return { record: null, reason: 'failed_outcome', by: failed.id };
  return { record, by: null };
}

function isAnswer(kind: FeedbackKind): boolean {
  return kind === 'correction' || kind === 'demonstration';
}

function isFailure(value: Json): boolean {
  if (typeof value === 'number') return value <= 0;
  return value === false || (typeof value === 'string' && /^fail(ed|ure)?$/i.test(value));
}

function isFirstOfItsName(piece: StoredFeedback, outcomes: readonly StoredFeedback[]): boolean {
  return outcomes.find(({ name }) => name === piece.name) === piece;
}

/** As if the person had answered; whether that answer can be learned from is for `toExample` to say. */
function redo(record: StoredRecord, { kind, value }: StoredFeedback): StoredRecord {
  const said = kind === 'demonstration' && Array.isArray(value) ? value : [value];
  const message = said.at(-1) ?? null;
  const { messages } = record.request;
  const asked = kind === 'demonstration' ? demonstrated(messages, said.slice(0, -1)) : messages;
  return {
    ...record,
    request: { ...record.request, ...(asked !== undefined && { messages: asked }) },
    response: answer(message),
    responseSource: 'gold',
  };
}

/** A demonstration that begins with its user replaces the conversation, but its instructions; others go on from it. */
function demonstrated(messages: Json | undefined, steps: readonly Json[]): Json {
  const asked = Array.isArray(messages) ? messages : [];
  if (!steps.some((step) => hasRole(step, 'user'))) return [...asked, ...steps];
  const instructed = steps.some((step) => isInstruction(step));
  return [...(instructed ? [] : asked.filter(isInstruction)), ...steps];
}

function isInstruction(message: Json): boolean {
  return hasRole(message, 'system') || hasRole(message, 'developer');
}

function hasRole(message: Json, role: string): boolean {
  return isJsonObject(message) && message.role === role;
}

function answer(message: Json): JsonObject {
  const calls = isJsonObject(message) && Array.isArray(message.tool_calls);
  return { choices: [{ index: 0, message, finish_reason: calls ? 'tool_calls' : 'stop' }] };
}
