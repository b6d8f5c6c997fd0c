import type { StoredRecord } from '../domain/records/record.ts';
import type { Lineage } from './ports/lineage.ts';
import type { LogStore } from './ports/log-store.ts';

export interface NewRecordsPorts {
  readonly logStore: Pick<LogStore, 'readIds' | 'get'>;
  readonly lineage: Pick<Lineage['datasets'], 'taken'>;
}

/** Records fetched at once: some megabytes of typical calls. */
const batchSize = 500;

/**
 * The workload's records below the bound that no earlier incremental dataset took, in ascending order of id.
 *
 *     every id below the bound − ids that were taken → fetch
 *
 * All ids are looked at, not only those since the last time: a record that surfaces late, under a time that
 * an earlier snapshot had passed, is found all the same.
 */
export async function* readNewRecords(
  { logStore, lineage }: NewRecordsPorts,
  workloadId: string,
  bound: string,
): AsyncGenerator<readonly StoredRecord[]> {
  let waiting: string[] = [];
  for await (const ids of logStore.readIds(workloadId, bound)) {
    const taken = await lineage.taken(workloadId, ids);
    waiting.push(...ids.filter((id) => !taken.has(id)));
    for (; waiting.length >= batchSize; waiting = waiting.slice(batchSize))
      yield await logStore.get(waiting.slice(0, batchSize));
    // A sign of life for the caller, also through long stretches of records that were taken.
    yield [];
  }
  if (waiting.length > 0) yield await logStore.get(waiting);
}
