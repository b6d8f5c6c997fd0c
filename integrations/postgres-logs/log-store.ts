import type { AppendResult, LogStore, WorkloadSummary } from '../../activities/ports/log-store.ts';
import type { LogRecord } from '../../domain/records/record.ts';
import { snapshotBound } from './bound.ts';
import { type Client, openClient } from './client.ts';
import { guarded, toLogStoreError } from './errors.ts';
import { readBelow, readByIds, readIdsBelow } from './read.ts';
import { batchesOf, insertRecords } from './write.ts';

/**
 * The log store on PostgreSQL: the embedded default. `migratePostgresLogs` must have run.
 *
 * The guarantee of `snapshotBound` rests on the server's clock not being set back.
 */
export function createPostgresLogStore(url: string, options: { max?: number } = {}): LogStore {
  const client = openClient(url, options.max ?? 5);
  return {
    append: (records) => append(client, records),
    snapshotBound: () => guarded(() => snapshotBound(client)),
    read: (workloadId, bound) => guardedPages(readBelow(client, workloadId, bound)),
    readIds: (workloadId, bound) => guardedPages(readIdsBelow(client, workloadId, bound)),
    countSince: (workloadId, since) => guarded(() => countSince(client, workloadId, since)),
    get: (ids) => guarded(() => readByIds(client, ids)),
    workloads: () => guarded(() => workloads(client)),
    async ping() {
      await guarded(() => client`select 1`);
    },
    close: () => client.end({ timeout: 5 }),
  };
}

async function append(client: Client, records: readonly LogRecord[]): Promise<AppendResult> {
  let stored = 0;
  for (const batch of batchesOf(records)) stored += await guarded(() => insertRecords(client, batch));
  return { stored, duplicates: records.length - stored };
}

async function* guardedPages<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* pages;
  } catch (error) {
    throw toLogStoreError(error);
  }
}

async function countSince(client: Client, workloadId: string, since: string | null): Promise<number> {
  const [row] = await client`
    select count(*)::int as records from flywheel_logs.records
    where workload_id = ${workloadId} and ingested_at >= coalesce(${since}::text::timestamptz, '-infinity')`;
  return Number(row?.records);
}

async function workloads(client: Client): Promise<WorkloadSummary[]> {
  const utc = client`'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;
  return client<WorkloadSummary[]>`
    select workload_id as "workloadId", count(*)::int as records, count(distinct client_id)::int as clients,
      to_char(min("timestamp") at time zone 'UTC', ${utc}) as "firstTimestamp",
      to_char(max("timestamp") at time zone 'UTC', ${utc}) as "lastTimestamp"
    from flywheel_logs.records group by workload_id order by workload_id`;
}
