import { setTimeout as sleep } from 'node:timers/promises';
import type { estypes } from '@elastic/elasticsearch';
import { type FlywheelError, RejectedError, UnavailableError } from '../../domain/errors.ts';
import type { LogRecord } from '../../domain/records/record.ts';
import type { Store } from './client.ts';
import { documentId, toDocument } from './document.ts';
import {
  type Cause,
  isPassing,
  isRecordFault,
  isTooLarge,
  notMigrated,
  toLogStoreError,
  unavailable,
  unusable,
} from './errors.ts';
import { openWrite } from './open-writes.ts';

/** Records per request: enough to be efficient. */
const batchSize = 500;
/** Bytes per request: far below Elasticsearch's limit of 100 MB, small enough for a small heap. */
const batchBytes = 5_000_000;

/** Pauses before a request is repeated that the server had no room for. About a minute in all. */
const pausesMs = [100, 300, 1_000, 3_000, 8_000, 15_000, 30_000];

interface Outcome {
  readonly stored: number;
  readonly duplicates: number;
  /** The server had no room for them right now. */
  readonly busy: readonly LogRecord[];
  readonly refused: readonly { readonly id: string; readonly cause: Cause }[];
}

type Sum = { stored: number; duplicates: number };

/**
 * Stores the records that are new; says how many were not. Waits while the server is busy. What is too large
 * for one request goes in halves: only a record that is too large by itself is refused.
 */
export async function writeBatch(store: Store, records: readonly LogRecord[]): Promise<Sum> {
  try {
    return await writeTogether(store, records);
  } catch (error) {
    if (records.length < 2 || !isTooLarge(error)) throw toLogStoreError(error);
  }
  const middle = Math.floor(records.length / 2);
  const first = await writeBatch(store, records.slice(0, middle));
  const second = await writeBatch(store, records.slice(middle));
  return { stored: first.stored + second.stored, duplicates: first.duplicates + second.duplicates };
}

async function writeTogether(store: Store, records: readonly LogRecord[]): Promise<Sum> {
  const sum = { stored: 0, duplicates: 0 };
  let waiting = records;
  for (const pauseMs of [...pausesMs, null]) {
    const outcome = await attempt(store, waiting);
    sum.stored += outcome.stored;
    sum.duplicates += outcome.duplicates;
    if (outcome.refused.length > 0) throw refusal(outcome.refused, records.length);
    waiting = outcome.busy;
    if (waiting.length === 0) return sum;
    // Uneven, so that writers that were turned away together do not come back together.
    if (pauseMs !== null) await sleep(pauseMs * (0.75 + Math.random() / 2));
  }
  throw unavailable(`it has no room for ${waiting.length} of ${records.length} records`, 'busy');
}

/** One request. Each has an open write of its own: a pause must not hold snapshots back. */
async function attempt(store: Store, records: readonly LogRecord[]): Promise<Outcome> {
  const write = await openWrite(store).catch((error: unknown) => turnedAway(error));
  if (write === null) return { stored: 0, duplicates: 0, busy: records, refused: [] };
  try {
    return await sendRecords(store, records, write.stamp);
  } catch (error) {
    turnedAway(error);
    return { stored: 0, duplicates: 0, busy: records, refused: [] };
  } finally {
    await write.close();
  }
}

/** Null for a server that is busy as a whole; anything else is an error, too much at once as it came. */
function turnedAway(error: unknown): null {
  if (isTooLarge(error)) throw error;
  const ours = toLogStoreError(error);
  if (ours instanceof UnavailableError && ours.kind === 'busy') return null;
  throw ours;
}

/** Sends the records with their stamp, once. Exported for tests, which hold a write open. */
export async function sendRecords(
  store: Store,
  records: readonly LogRecord[],
  stamp: string,
): Promise<Outcome> {
  const reply = await store.client.bulk({
    index: store.index,
    // Else a missing index would be made up, with guessed types.
    require_alias: true,
    operations: records.flatMap((record) => [
      { create: { _id: documentId(record.id) } },
      toDocument(record, stamp),
    ]),
  });
  const outcomes = records.map(({ id }, index) => toOutcome(id, reply.items[index]?.create));
  const having = (wanted: Fate) => outcomes.filter(({ status, cause }) => fateOf(status, cause) === wanted);
  const [inTheWay] = having('unusable');
  if (inTheWay) throw faultOf(inTheWay);
  const busy = new Set(having('busy').map(({ id }) => id));
  return {
    stored: having('stored').length,
    duplicates: having('duplicate').length,
    busy: records.filter(({ id }) => busy.has(id)),
    refused: having('refused'),
  };
}

type Fate = 'stored' | 'duplicate' | 'busy' | 'refused' | 'unusable';

function fateOf(status: number, cause: Cause): Fate {
  if (status < 400) return 'stored';
  if (status === 409) return 'duplicate';
  if (isPassing(status)) return 'busy';
  return isRecordFault(status, cause) ? 'refused' : 'unusable';
}

function faultOf({ status, cause }: { readonly status: number; readonly cause: Cause }): FlywheelError {
  const type = cause.type ?? `status ${status}`;
  return type === 'index_not_found_exception' ? notMigrated() : unusable(type);
}

/** A record that the reply does not speak of is taken for one that may be tried again. */
function toOutcome(id: string, item: estypes.BulkResponseItem | undefined) {
  return { id, status: item?.status ?? 500, cause: item?.error ?? {} };
}

/** The reason is left out but for the field that it names: it quotes what users sent. */
function refusal(refused: Outcome['refused'], of: number): FlywheelError {
  const { id, cause } = refused[0] ?? { id: '', cause: {} };
  const field = /\[[\w@.]+\]/.exec(cause.reason ?? '')?.[0];
  const why = `${cause.type ?? 'no reason given'}${field ? ` at field ${field}` : ''}`;
  const others = refused.length > 1 ? ` and ${refused.length - 1} others` : '';
  return new RejectedError(
    `The log store (Elasticsearch) refused record ${JSON.stringify(id)}${others} of ${of}: ${why}.`,
    { code: cause.type ?? 'refused' },
  );
}

/** In requests of bounded count and bytes. A record that is too large goes alone, for the server to judge. */
export function* batchesOf(records: readonly LogRecord[]): Generator<readonly LogRecord[]> {
  let batch: LogRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const more = JSON.stringify(record).length;
    if (batch.length === batchSize || (batch.length > 0 && bytes + more > batchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(record);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}
