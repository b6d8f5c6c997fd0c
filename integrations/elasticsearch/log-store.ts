import pLimit from 'p-limit';
import type { AppendResult, LogStore, WorkloadSummary } from '../../activities/ports/log-store.ts';
import type { LogRecord } from '../../domain/records/record.ts';
import { type ElasticsearchSettings, openStore, type Store } from './client.ts';
import { guarded } from './errors.ts';
import { snapshotBound } from './open-writes.ts';
import { readBelow, readByIds, readIdsBelow } from './read.ts';
import { summariseWorkloads } from './workloads.ts';
import { batchesOf, writeBatch } from './write.ts';

/** Requests of one process that write at a time: more would only queue up at the server. */
const concurrentWrites = 2;

/** The log store on Elasticsearch 8 or 9. `migrateElasticsearchLogs` must have run. */
export function createElasticsearchLogStore(settings: ElasticsearchSettings): LogStore {
  const store = openStore(settings);
  const limit = pLimit(concurrentWrites);
  return {
    append: (records) => append(store, records, limit),
    snapshotBound: () => guarded(() => snapshotBound(store)),
    read: (workloadId, bound) => readBelow(store, { workloadId, bound }),
    readIds: (workloadId, bound) => readIdsBelow(store, { workloadId, bound }),
    countSince: (workloadId, since) => guarded(() => countSince(store, workloadId, since)),
    get: (ids) => readByIds(store, ids),
    workloads: (): Promise<WorkloadSummary[]> => guarded(() => summariseWorkloads(store)),
    async ping() {
      // Asks for what a reading needs; the cluster's own health may be another role's to see.
      await guarded(() =>
        store.client.search({ index: store.index, size: 0, allow_partial_search_results: false }),
      );
    },
    close: () => store.client.close(),
  };
}

async function append(
  store: Store,
  records: readonly LogRecord[],
  limit: ReturnType<typeof pLimit>,
): Promise<AppendResult> {
  const sum = { stored: 0, duplicates: 0 };
  for (const batch of batchesOf(records)) {
    const { stored, duplicates } = await limit(() => writeBatch(store, batch));
    sum.stored += stored;
    sum.duplicates += duplicates;
  }
  return sum;
}

async function countSince(store: Store, workloadId: string, since: string | null): Promise<number> {
  await store.client.indices.refresh({ index: store.index });
  const { count } = await store.client.count({
    index: store.index,
    query: {
      bool: {
        filter: [
          { term: { workload_id: workloadId } },
          ...(since === null ? [] : [{ range: { ingested_at: { gte: since } } }]),
        ],
      },
    },
  });
  return count;
}
