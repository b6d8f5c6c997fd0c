import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { requestTimeoutMs, type Store } from './client.ts';
import { isConflict, isMissing, unavailable } from './errors.ts';

/**
 * How a bound can be given out below which no further record appears, though Elasticsearch has neither locks
 * nor a clock for us. Beside the records' index stands a small one, `<alias>-open-writes`:
 *
 *     writer:  note "open since t" → read the fence → stamp = max(t, fence) → write records → remove the note
 *     bound:   move the fence to now → look at the notes → bound = the earliest of fence and notes
 *
 * - A writer whose note we do not see yet reads the fence after we moved it, and stamps at or above it.
 * - One whose note we see stamps at or above its note, which is at or above the bound.
 * - One that took its note back has written, and every later read sees it.
 *
 * So clocks that differ cost only when a record is read (by this snapshot or the next), never whether.
 */
export interface OpenWrite {
  /** What the write's records have to carry as `ingested_at`. */
  readonly stamp: string;
  close(): Promise<void>;
}

/** Documents in it are few and looked at whole; nothing of them is indexed. */
export const openWritesMapping = { dynamic: false, properties: {} } as const;

/** A write takes three requests; whoever left a note and has not come back after twice that is dead. */
const deadAfterMs = 4 * requestTimeoutMs;
const fenceId = 'fence';
/** More processes than this never write at the same moment. */
const mostNotes = 10_000;

interface Note {
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
}

export function openWritesIndex({ index }: Pick<Store, 'index'>): string {
  return `${index}-open-writes`;
}

export async function openWrite(store: Store): Promise<OpenWrite> {
  const index = openWritesIndex(store);
  const id = `write-${randomUUID()}`;
  const at = toTime(Date.now());
  await store.client.index<Note>({ index, id, document: { at } });
  const fence = await readFence(store);
  return {
    stamp: fence !== null && fence.at > at ? fence.at : at,
    async close() {
      // A note that stays only holds bounds back, and only until it counts as dead.
      await store.client.delete({ index, id }).catch(() => undefined);
    },
  };
}

/** A time below which no further record can appear. */
export async function snapshotBound(store: Store): Promise<string> {
  const fence = await moveFence(store);
  const notes = await readNotes(store);
  return [fence, ...notes].sort()[0] ?? fence;
}

/** To the coming millisecond: what was stamped in this one, by finished writes, is below it. */
async function moveFence(store: Store): Promise<string> {
  const index = openWritesIndex(store);
  for (let attempt = 1; attempt <= 20; attempt++) {
    const known = await readFence(store);
    const now = toTime(Date.now() + 1);
    const at = known !== null && known.at > now ? known.at : now;
    const unchanged = known
      ? { if_seq_no: known.seqNo, if_primary_term: known.primaryTerm }
      : { op_type: 'create' as const };
    try {
      await store.client.index<Note>({ index, id: fenceId, document: { at }, ...unchanged });
      return at;
    } catch (error) {
      if (!isConflict(error)) throw error;
      // Somebody else moved it; ours must not be behind theirs.
      await sleep(5 * attempt);
    }
  }
  throw unavailable('too many snapshots begin at once', 'busy');
}

async function readFence(store: Store): Promise<{ at: string; seqNo: number; primaryTerm: number } | null> {
  try {
    const found = await store.client.get<Note>({ index: openWritesIndex(store), id: fenceId });
    const { _source: note, _seq_no: seqNo = 0, _primary_term: primaryTerm = 0 } = found;
    return note ? { at: note.at, seqNo, primaryTerm } : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Since when the writes that are under way have been open. */
async function readNotes(store: Store): Promise<string[]> {
  const index = openWritesIndex(store);
  await store.client.indices.refresh({ index });
  const { hits } = await store.client.search<Note>({
    index,
    size: mostNotes,
    allow_partial_search_results: false,
  });
  const dead = toTime(Date.now() - deadAfterMs);
  const notes = hits.hits.filter(({ _id }) => _id !== fenceId);
  const isDead = ({ _source }: { _source?: Note }) => (_source?.at ?? '') < dead;
  await forget(
    store,
    notes.filter(isDead).map(({ _id }) => _id ?? ''),
  );
  return notes.filter((note) => !isDead(note)).map(({ _source }) => _source?.at ?? '');
}

async function forget(store: Store, ids: readonly string[]): Promise<void> {
  const index = openWritesIndex(store);
  if (ids.length === 0) return;
  // Somebody else may be at it too, and the next one will be: not worth failing for.
  await store.client
    .bulk({ operations: ids.map((_id) => ({ delete: { _index: index, _id } })) })
    .catch(() => undefined);
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
