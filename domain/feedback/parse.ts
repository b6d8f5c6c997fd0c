import type { z } from 'zod';
import { canonicalJson, sha256 } from '../hash.ts';
import { findUnstorable, isJsonObject, type JsonObject } from '../json.ts';
import { unstorableDetails } from '../records/parse.ts';
import { WireFeedback } from './feedback.schema.ts';
import { type Feedback, feedbackKinds } from './feedback.ts';

/** What the caller knows about feedback that does not say so itself. The feedback's own fields win. */
export interface FeedbackDefaults {
  readonly workloadId?: string;
  readonly clientId?: string;
  readonly author?: string;
}

export type ParsedFeedback =
  | { readonly ok: true; readonly feedback: Feedback }
  | { readonly ok: false; readonly reason: string; readonly detail: string };

/**
 * Reads one piece of feedback from its wire form (`feedback.schema.ts`; JSON, snake_case).
 * Reasons: `not_an_object`, `too_deep`, `invalid_text`, `missing_<field>`, `invalid_<field>`.
 */
export function parseFeedback(value: unknown, defaults: FeedbackDefaults = {}): ParsedFeedback {
  if (!isJsonObject(value))
    return { ok: false, reason: 'not_an_object', detail: 'Feedback must be a JSON object.' };
  const unstorable = findUnstorable(value);
  if (unstorable !== null) return { ok: false, reason: unstorable, detail: unstorableDetails[unstorable] };
  const given = withDefaults(value, defaults);
  const wire = WireFeedback.safeParse(given);
  return wire.success ? { ok: true, feedback: toFeedback(wire.data) } : explain(wire.error, given);
}

function withDefaults(value: JsonObject, defaults: FeedbackDefaults): JsonObject {
  return {
    ...value,
    ...(value['workload_id'] == null &&
      defaults.workloadId !== undefined && { workload_id: defaults.workloadId }),
    ...(value['client_id'] == null && defaults.clientId !== undefined && { client_id: defaults.clientId }),
    ...(value['author'] == null && defaults.author !== undefined && { author: defaults.author }),
  };
}

function toFeedback(wire: WireFeedback): Feedback {
  const content = {
    recordId: wire.record_id ?? null,
    conversationId: wire.conversation_id ?? null,
    workloadId: wire.workload_id ?? null,
    clientId: wire.client_id ?? null,
    kind: wire.kind,
    name: wire.name ?? null,
    value: wire.value ?? null,
    comment: wire.comment ?? null,
    author: wire.author ?? null,
    givenAt: wire.timestamp ?? null,
  };
  const hash = sha256(canonicalJson(content));
  // Two clients may well number their feedback alike.
  const identity = wire.key == null ? hash : sha256(canonicalJson([content.clientId, wire.key]));
  return { id: `fb_${identity.slice(0, 32)}`, hash, ...content };
}

function explain(error: z.ZodError, given: JsonObject): ParsedFeedback {
  const issue = error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const names = issue.keys.join(', ');
    return { ok: false, reason: `invalid_${issue.keys[0]}`, detail: `Feedback has no field ${names}.` };
  }
  const field = String(issue?.path[0] ?? 'feedback');
  const missing = given[field] === undefined || given[field] === null;
  const reason = `${missing ? 'missing' : 'invalid'}_${field}`;
  if (field === 'kind')
    return { ok: false, reason, detail: `kind must be one of ${feedbackKinds.join(', ')}.` };
  return { ok: false, reason, detail: `${field}: ${issue?.message ?? 'cannot be used'}.` };
}
