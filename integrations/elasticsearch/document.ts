import { createHash } from 'node:crypto';
import { sha256 } from '../../domain/hash.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import type { LogRecord, ResponseSource, StoredRecord } from '../../domain/records/record.ts';
import { buckets } from './mapping.ts';

/** A record as Elasticsearch holds it. Absent fields are absent. */
export interface LogDocument {
  readonly '@timestamp': string;
  readonly ingested_at: string;
  readonly record_id: string;
  readonly bucket: number;
  readonly workload_id: string;
  readonly client_id: string;
  readonly conversation_id?: string;
  readonly model?: string;
  readonly response_source: ResponseSource;
  readonly latency_ms?: number;
  /** From the response's `usage`, for dashboards. */
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
  readonly request: JsonObject;
  readonly response: JsonObject;
  readonly extra: JsonObject;
}

/** Elasticsearch's own bound on `_id`. */
const longestDocumentId = 512;

/** The record's id; a hash of it where it is too long to be one. */
export function documentId(recordId: string): string {
  return Buffer.byteLength(recordId) <= longestDocumentId ? recordId : `sha256:${sha256(recordId)}`;
}

function bucketOf(recordId: string): number {
  return createHash('sha256').update(recordId).digest().readUInt16BE(0) % buckets;
}

export function toDocument(record: LogRecord, ingestedAt: string): LogDocument {
  return {
    '@timestamp': record.timestamp,
    ingested_at: ingestedAt,
    record_id: record.id,
    bucket: bucketOf(record.id),
    workload_id: record.workloadId,
    client_id: record.clientId,
    ...(record.conversationId !== undefined && { conversation_id: record.conversationId }),
    ...(record.model !== undefined && { model: record.model }),
    response_source: record.responseSource,
    ...(record.latencyMs !== undefined && { latency_ms: record.latencyMs }),
    ...tokensOf(record.response),
    request: record.request,
    response: record.response,
    extra: record.extra,
  };
}

function tokensOf({ usage }: JsonObject): Pick<LogDocument, 'prompt_tokens' | 'completion_tokens'> {
  if (!isJsonObject(usage)) return {};
  const { prompt_tokens: prompt, completion_tokens: completion } = usage;
  return {
    ...(Number.isSafeInteger(prompt) && { prompt_tokens: Number(prompt) }),
    ...(Number.isSafeInteger(completion) && { completion_tokens: Number(completion) }),
  };
}

export function fromDocument(document: LogDocument): StoredRecord {
  return {
    id: document.record_id,
    timestamp: document['@timestamp'],
    workloadId: document.workload_id,
    clientId: document.client_id,
    ...(document.conversation_id !== undefined && { conversationId: document.conversation_id }),
    request: document.request,
    response: document.response,
    ...(document.model !== undefined && { model: document.model }),
    responseSource: document.response_source,
    ...(document.latency_ms !== undefined && { latencyMs: document.latency_ms }),
    extra: document.extra,
    ingestedAt: document.ingested_at,
  };
}
