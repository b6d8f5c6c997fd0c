import { randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { type ParsedRecord, parseRecord } from '../../domain/records/parse.ts';
import type { GatewayCall } from './call.ts';
import type { Target } from './target.ts';

export interface Answered {
  readonly call: GatewayCall;
  readonly workloadId: string;
  readonly target: Target;
  readonly bytes: Uint8Array;
  readonly startedAt: Date;
  readonly latencyMs: number;
}

/**
 * The record of an answered call, through the same door as every other record. Its id is random: an
 * application may well ask the same thing twice in a millisecond, and a record is made once.
 */
export function toRecord(answered: Answered): ParsedRecord {
  const { call, workloadId, target, bytes, startedAt, latencyMs } = answered;
  const response = parseResponse(bytes);
  if (response === null) return { ok: false, reason: 'invalid_response', detail: 'The reply is not JSON.' };
  return parseRecord({
    id: `rec_${randomUUID().replaceAll('-', '')}`,
    timestamp: startedAt.toISOString(),
    workload_id: workloadId,
    client_id: call.clientId,
    ...(call.conversationId !== null && { conversation_id: call.conversationId }),
    request: call.body,
    response,
    response_source: target.responseSource,
    latency_ms: latencyMs,
    route_version: target.routeVersion,
  });
}

function parseResponse(bytes: Uint8Array): JsonObject | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
