import { setTimeout as sleep } from 'node:timers/promises';
import type { estypes } from '@elastic/elasticsearch';
import { UnavailableError } from '../../domain/errors.ts';
import type { StoredRecord } from '../../domain/records/record.ts';
import type { Store } from './client.ts';
import { documentId, fromDocument, type LogDocument } from './document.ts';
import { guarded, isPointInTimeLost, toLogStoreError } from './errors.ts';
import { buckets } from './mapping.ts';
import { mergeById } from './merge.ts';

/** Read side by side. More than one, so that the next page is on its way while one is worked on. */
const slices = 4;
/** Per slice: some megabytes of typical calls in all. */
const recordsPerPage = 150;
const idsPerPage = 2_500;
/** Between two pages of a slow reader; each page renews it. */
const keepAlive = '5m';
/** Pauses while the server is away, a restart's length in all; then the caller's own retry has its turn. */
const pausesMs = [250, 500, 1_000, 2_000, 4_000, 8_000, ...Array<number>(8).fill(15_000)];

interface Range {
  readonly workloadId: string;
  readonly bound: string;
}

type Hit = estypes.SearchHit<LogDocument>;

export function readBelow(store: Store, range: Range): AsyncGenerator<readonly StoredRecord[]> {
  return readSlices(store, range, { size: recordsPerPage }, ({ _source }) =>
    fromDocument(_source as LogDocument),
  );
}

export function readIdsBelow(store: Store, range: Range): AsyncGenerator<readonly string[]> {
  return readSlices(store, range, { size: idsPerPage, _source: false }, idOf);
}

/** The slices side by side, merged by id, so that the whole comes in ascending order. */
async function* readSlices<T>(
  store: Store,
  range: Range,
  page: Pick<estypes.SearchRequest, 'size' | '_source'>,
  toItem: (hit: Hit) => T,
): AsyncGenerator<readonly T[]> {
  const snapshot = new PointInTime(store);
  try {
    const readers = Array.from({ length: slices }, (_, slice) => readSlice(snapshot, range, slice, page));
    for await (const hits of mergeById(readers, idOf, Number(page.size))) yield hits.map(toItem);
  } finally {
    await snapshot.close();
  }
}

async function* readSlice(
  snapshot: PointInTime,
  range: Range,
  slice: number,
  page: Pick<estypes.SearchRequest, 'size' | '_source'>,
): AsyncGenerator<readonly Hit[]> {
  let after: string | null = null;
  for (;;) {
    const hits = await snapshot.page(queryOf(range, slice), after, page);
    if (hits.length > 0) yield hits;
    const last = hits.at(-1);
    if (last === undefined || hits.length < Number(page.size)) return;
    after = idOf(last);
  }
}

function queryOf({ workloadId, bound }: Range, slice: number): estypes.QueryDslQueryContainer[] {
  const from = (slice * buckets) / slices;
  return [
    { term: { workload_id: workloadId } },
    { range: { ingested_at: { lt: bound } } },
    { range: { bucket: { gte: from, lt: from + buckets / slices } } },
  ];
}

/**
 * One consistent view for all slices of a reading. When it is lost, by a restart or a long pause, another is
 * opened: nothing appears below the bound meanwhile, so that each slice goes on where it was.
 */
class PointInTime {
  readonly #store: Store;
  #id: Promise<string> | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  async page(
    filter: estypes.QueryDslQueryContainer[],
    after: string | null,
    page: Pick<estypes.SearchRequest, 'size' | '_source'>,
  ): Promise<readonly Hit[]> {
    return patiently(async () => {
      const id = await this.#opened();
      try {
        const { hits } = await this.#store.client.search<LogDocument>({
          ...page,
          pit: { id, keep_alive: keepAlive },
          query: { bool: { filter } },
          sort: [{ record_id: 'asc' }, { _shard_doc: 'asc' }],
          // Ids are unique: whatever its tie-breaker was, the one after this id is the next.
          ...(after !== null && { search_after: [after, Number.MAX_SAFE_INTEGER] }),
          track_total_hits: false,
          // A missing shard is an error, never a shorter answer.
          allow_partial_search_results: false,
        });
        return hits.hits;
      } catch (error) {
        if (!isPointInTimeLost(error)) throw error;
        this.#id = null;
        return null;
      }
    });
  }

  async close(): Promise<void> {
    // It expires by itself.
    const id = await this.#id?.catch(() => null);
    if (id) await this.#store.client.closePointInTime({ id }).catch(() => undefined);
  }

  #opened(): Promise<string> {
    this.#id ??= this.#open().catch((error: unknown) => {
      this.#id = null;
      throw error;
    });
    return this.#id;
  }

  async #open(): Promise<string> {
    const { client, index } = this.#store;
    await client.indices.refresh({ index });
    return (await client.openPointInTime({ index, keep_alive: keepAlive })).id;
  }
}

/** Repeats while the server is away or the work says `null`, up to a restart's length. */
async function patiently<T>(work: () => Promise<T | null>): Promise<T> {
  for (const pauseMs of [...pausesMs, null]) {
    try {
      const result = await work();
      if (result !== null) return result;
    } catch (error) {
      const ours = toLogStoreError(error);
      if (!(ours instanceof UnavailableError) || pauseMs === null) throw ours;
      await sleep(pauseMs);
    }
  }
  throw new UnavailableError('The log store (Elasticsearch) loses what it reads from again and again.');
}

/** By id, also what no search shows yet. */
export async function readByIds(store: Store, ids: readonly string[]): Promise<StoredRecord[]> {
  const found: StoredRecord[] = [];
  for (let start = 0; start < ids.length; start += recordsPerPage * slices) {
    const { docs } = await guarded(() =>
      store.client.mget<LogDocument>({
        index: store.index,
        ids: ids.slice(start, start + recordsPerPage * slices).map(documentId),
      }),
    );
    for (const doc of docs) {
      if ('_source' in doc && doc._source) found.push(fromDocument(doc._source));
      else if ('error' in doc) throw toLogStoreError(new Error(doc.error.type));
    }
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
}

/** Sorting gives it, whether or not the document comes along. */
function idOf(hit: Hit): string {
  return String(hit.sort?.[0]);
}
