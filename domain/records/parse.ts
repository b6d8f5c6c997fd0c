import type { z } from 'zod';
import { canonicalJson, sha256 } from '../hash.ts';
import { findUnstorable, isJsonObject, type JsonObject, maxJsonDepth } from '../json.ts';
import { ChatRequestShape, ChatResponseShape, WireRecord } from './record.schema.ts';
import type { LogRecord } from './record.ts';

/** What the caller knows about a record that does not say so itself. The record's own fields win. */
export interface RecordDefaults {
  readonly workloadId?: string;
  readonly clientId?: string;
  /** Any form that `readTimestamp` reads. */
  readonly timestamp?: string | number;
}

export type ParsedRecord =
  | { readonly ok: true; readonly record: LogRecord }
  | { readonly ok: false; readonly reason: string; readonly detail: string };

export const unstorableDetails = {
  too_deep: `A record may nest ${maxJsonDepth} levels deep at most.`,
  invalid_text: 'A text holds a NUL character or half of a surrogate pair, which no store keeps.',
};

/**
 * Reads one logged call from its wire form. Request and response stay as they came.
 * Reasons: `not_an_object`, `too_deep`, `invalid_text`, `missing_<field>`, `invalid_<field>`.
 */
export function parseRecord(value: unknown, defaults: RecordDefaults = {}): ParsedRecord {
  if (!isJsonObject(value))
    return { ok: false, reason: 'not_an_object', detail: 'A record must be a JSON object.' };
  const unstorable = findUnstorable(value);
  if (unstorable !== null) return { ok: false, reason: unstorable, detail: unstorableDetails[unstorable] };
  const wire = WireRecord.safeParse(withDefaults(value, defaults));
  if (!wire.success) return explain(wire.error, value, defaults);
  const request = ChatRequestShape.safeParse(wire.data.request);
  if (!request.success) return explain(request.error, value, defaults, 'request');
  const response = ChatResponseShape.safeParse(wire.data.response);
  if (!response.success) return explain(response.error, value, defaults, 'response');
  return { ok: true, record: toRecord(wire.data) };
}

function withDefaults(value: JsonObject, defaults: RecordDefaults): JsonObject {
  return {
    ...value,
    workload_id: value.workload_id ?? defaults.workloadId ?? null,
    client_id: value.client_id ?? defaults.clientId ?? null,
    timestamp: value.timestamp ?? defaults.timestamp ?? null,
  };
}

function toRecord(wire: WireRecord): LogRecord {
  const { id, timestamp, workload_id, client_id, conversation_id, request, response, model, ...rest } = wire;
  const { response_source, latency_ms, ...extra } = rest;
  const answeredBy =
    model ?? (typeof response.model === 'string' && response.model !== '' ? response.model : null);
  const content = {
    timestamp,
    workloadId: workload_id,
    clientId: client_id,
    ...(typeof conversation_id === 'string' && { conversationId: conversation_id }),
    request,
    response,
    ...(answeredBy !== null && { model: answeredBy }),
    responseSource: response_source ?? 'production',
    ...(typeof latency_ms === 'number' && { latencyMs: latency_ms }),
    extra: extra as JsonObject,
  } satisfies Omit<LogRecord, 'id'>;
  return { id: id ?? `rec_${sha256(canonicalJson(content)).slice(0, 32)}`, ...content };
}

function explain(
  error: z.ZodError,
  value: JsonObject,
  defaults: RecordDefaults,
  within?: string,
): ParsedRecord {
  const issue = error.issues[0];
  const path = [...(within === undefined ? [] : [within]), ...(issue?.path.map(String) ?? [])];
  const field = path[0] ?? 'record';
  const given = withDefaults(value, defaults)[field];
  const missing = given === undefined || given === null;
  return {
    ok: false,
    reason: `${missing ? 'missing' : 'invalid'}_${field}`,
    detail: missing ? `${field} is missing.` : `${path.join('.')}: ${issue?.message ?? 'cannot be used'}.`,
  };
}
