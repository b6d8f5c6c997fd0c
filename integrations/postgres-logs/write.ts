import { InvalidInputError } from '../../domain/errors.ts';
import type { LogRecord } from '../../domain/records/record.ts';
import type { Queries } from './client.ts';

/** Held, shared, by every open write, so that a snapshot can see how far back the oldest one goes. */
export const writerLock = { classId: 1_179_408_215, objectId: 1 } as const;

/**
 * Inserts records that are new and says how many were.
 *
 * One statement: the lock comes first, since a joined row cannot exist before it; only then is the clock
 * read. Rows go in by id, so that two writers of the same records never wait for each other in a circle.
 */
export async function insertRecords(sql: Queries, records: readonly LogRecord[]): Promise<number> {
  const rows = [...records].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const row of rows) refuseNul(row);
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
      ${rows.map((row) => row.id)}::text[],
      ${rows.map((row) => row.workloadId)}::text[],
      ${rows.map((row) => row.clientId)}::text[],
      ${rows.map((row) => row.conversationId ?? null)}::text[],
      ${rows.map((row) => row.timestamp)}::text[]::timestamptz[],
      ${rows.map((row) => JSON.stringify(row.request))}::text[],
      ${rows.map((row) => JSON.stringify(row.response))}::text[],
      ${rows.map((row) => row.model ?? null)}::text[],
      ${rows.map((row) => row.responseSource)}::text[],
      ${rows.map((row) => row.latencyMs ?? null)}::float8[],
      ${rows.map((row) => JSON.stringify(row.extra))}::text[]
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
    throw new InvalidInputError(`Record ${JSON.stringify(record.id)} has a NUL character in its ${field}.`);
}

/** Splits by count and size: a batch stays far below the time-out and the driver's buffers. */
export function* batchesOf(records: readonly LogRecord[]): Generator<readonly LogRecord[]> {
  let batch: LogRecord[] = [];
  let size = 0;
  for (const record of records) {
    batch.push(record);
    size += roughSize(record);
    if (batch.length < 1_000 && size < 4_000_000) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}

function roughSize(record: LogRecord): number {
  return JSON.stringify(record.request).length + JSON.stringify(record.response).length;
}
