import { RejectedError } from '../../domain/errors.ts';
import type { LogRecord } from '../../domain/records/record.ts';
import type { Queries } from './client.ts';

/** Held, shared, by every open write, so that a snapshot can see how far back the oldest one goes. */
export const writerLock = { classId: 1_179_408_215, objectId: 1 } as const;

/** A record, its payloads as they are sent: they are the bulk of it, so they are written out once. */
interface Row {
  readonly record: LogRecord;
  readonly request: string;
  readonly response: string;
}

export function toRow(record: LogRecord): Row {
  return { record, request: JSON.stringify(record.request), response: JSON.stringify(record.response) };
}

/**
 * Inserts records that are new and says how many were. A record that the database cannot hold is a
 * `RejectedError`.
 *
 * One statement: the lock comes first, since a joined row cannot exist before it; only then is the clock
 * read. Rows go in by id, so that two writers of the same records never wait for each other in a circle.
 */
export async function insertRecords(sql: Queries, batch: readonly Row[]): Promise<number> {
  const rows = [...batch].sort((a, b) => (a.record.id < b.record.id ? -1 : 1));
  const records = rows.map(({ record }) => record);
  for (const record of records) refuseNul(record);
  const result = await sql`
    with locked as materialized (
      select pg_advisory_xact_lock_shared(${writerLock.classId}, ${writerLock.objectId})
    )
    insert into flywheel_logs.records (
      id, workload_id, client_id, conversation_id, "timestamp", ingested_at,
      request, response, model, response_source, latency_ms, extra
    )
    select r.id, r.workload_id, r.client_id, r.conversation_id, r."timestamp", clock_timestamp(),
      r.request::json, r.response::json, r.model, r.response_source, r.latency_ms, r.extra::json
    from locked, unnest(
      ${records.map((record) => record.id)}::text[],
      ${records.map((record) => record.workloadId)}::text[],
      ${records.map((record) => record.clientId)}::text[],
      ${records.map((record) => record.conversationId ?? null)}::text[],
      ${records.map((record) => record.timestamp)}::text[]::timestamptz[],
      ${rows.map(({ request }) => request)}::text[],
      ${rows.map(({ response }) => response)}::text[],
      ${records.map((record) => record.model ?? null)}::text[],
      ${records.map((record) => record.responseSource)}::text[],
      ${records.map((record) => record.latencyMs ?? null)}::float8[],
      ${records.map((record) => JSON.stringify(record.extra))}::text[]
    ) as r(
      id, workload_id, client_id, conversation_id, "timestamp",
      request, response, model, response_source, latency_ms, extra
    )
    on conflict (id) do nothing`;
  return result.count;
}

/** PostgreSQL's text cannot hold NUL; its JSON can, escaped. */
function refuseNul(record: LogRecord): void {
  const fields = ['id', 'workloadId', 'clientId', 'conversationId', 'model'] as const;
  const field = fields.find((name) => record[name]?.includes('\0'));
  if (field)
    throw new RejectedError(`Record ${JSON.stringify(record.id)} has a NUL character in its ${field}.`);
}

/** Splits by count and size: a batch stays far below the time-out and the driver's buffers. */
export function* batchesOf(records: readonly LogRecord[]): Generator<readonly Row[]> {
  let batch: Row[] = [];
  let size = 0;
  for (const record of records) {
    const row = toRow(record);
    batch.push(row);
    size += row.request.length + row.response.length;
    if (batch.length < 1_000 && size < 4_000_000) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}
