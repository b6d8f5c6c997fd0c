import type { JsonObject } from '../../domain/json.ts';
import type { ResponseSource, StoredRecord } from '../../domain/records/record.ts';
import type { Queries } from './client.ts';

/** Records per page: some megabytes of typical calls. */
const pageSize = 500;
/** Ids per page: some hundred kilobytes. */
const idPageSize = 5_000;

interface Row {
  readonly id: string;
  readonly workload_id: string;
  readonly client_id: string;
  readonly conversation_id: string | null;
  readonly timestamp: string;
  readonly ingested_at: string;
  readonly request: JsonObject;
  readonly response: JsonObject;
  readonly model: string | null;
  readonly response_source: ResponseSource;
  readonly latency_ms: number | null;
  readonly extra: JsonObject;
}

/** Keyset pages: each starts behind the last id of the one before, however many came in between. */
export async function* readBelow(
  sql: Queries,
  workloadId: string,
  bound: string,
): AsyncGenerator<readonly StoredRecord[]> {
  for (let after = ''; ; ) {
    const rows = await sql<Row[]>`
      select ${columns(sql)} from flywheel_logs.records
      where workload_id = ${workloadId} and id > ${after} and ingested_at < ${bound}::text::timestamptz
      order by id limit ${pageSize}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(toRecord);
    if (rows.length < pageSize) return;
    after = last.id;
  }
}

/** The ids of `readBelow`'s records, in the same order. */
export async function* readIdsBelow(
  sql: Queries,
  workloadId: string,
  bound: string,
): AsyncGenerator<readonly string[]> {
  for (let after = ''; ; ) {
    const rows = await sql<{ id: string }[]>`
      select id from flywheel_logs.records
      where workload_id = ${workloadId} and id > ${after} and ingested_at < ${bound}::text::timestamptz
      order by id limit ${idPageSize}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(({ id }) => id);
    if (rows.length < idPageSize) return;
    after = last.id;
  }
}

export async function readByIds(sql: Queries, ids: readonly string[]): Promise<StoredRecord[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from flywheel_logs.records where id = any(${[...ids]}::text[]) order by id`;
  return rows.map(toRecord);
}

function columns(sql: Queries) {
  return sql`id, workload_id, client_id, conversation_id, request, response, model, response_source,
    latency_ms, extra,
    to_char("timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "timestamp",
    to_char(ingested_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as ingested_at`;
}

function toRecord(row: Row): StoredRecord {
  return {
    id: row.id,
    timestamp: row.timestamp,
    workloadId: row.workload_id,
    clientId: row.client_id,
    ...(row.conversation_id !== null && { conversationId: row.conversation_id }),
    request: row.request,
    response: row.response,
    ...(row.model !== null && { model: row.model }),
    responseSource: row.response_source,
    ...(row.latency_ms !== null && { latencyMs: row.latency_ms }),
    extra: row.extra,
    ingestedAt: row.ingested_at,
  };
}
