import { setTimeout as sleep } from 'node:timers/promises';
import type { LogStore } from '../../activities/ports/log-store.ts';
import { parseRecord } from '../../domain/records/parse.ts';
import type { LogRecord } from '../../domain/records/record.ts';
import type { Caller } from '../auth/access.ts';
import type { AddEndpoint } from '../auth/guard.ts';
import type { RecordCounts } from '../gateway/counts.ts';
import type { Journal } from '../journal/journal.ts';
import type { BodyOptions } from './read-body.ts';
import { readItems } from './read-items.ts';
import type { RecentIds } from './recent-ids.ts';
import { allRejected, foreignClient, isRejected, type RejectedItem, senderOf } from './sender.ts';

export interface IngestOptions extends BodyOptions {
  readonly journal: Pick<Journal, 'append' | 'written'>;
  readonly logStore: Pick<LogStore, 'get'>;
  /** Ids on their way to the log store, which cannot know them yet. */
  readonly recentIds: RecentIds;
  readonly recordCounts: RecordCounts;
}

/** What became of one record, at the place where it was sent. */
export type RecordResult = { readonly status: 'accepted' | 'duplicate'; readonly id: string } | RejectedItem;

const maxRecords = 1_000;
/** Only to say `duplicate` rather than `accepted`: not worth waiting for a log store in trouble. */
const lookUpWaitMs = 1_000;
/** A disk that takes longer is full or failing; the sender keeps its records and tries again. */
const diskWaitMs = 5_000;

/**
 * `POST /v1/records`: logged calls from anywhere, into the same journal as the gateway's own. Answered once
 * they are on disk. A 503 means that some are not: send all of them again, what is there already is a duplicate.
 */
export function addIngestRecords(on: AddEndpoint, options: IngestOptions): void {
  on('POST', '/v1/records', 'ingest', async (context, caller) => {
    const items = await readItems(context.req.raw, 'records', maxRecords, options);
    const parsed = items.map((item) => parseOne(item, context.req.raw.headers, caller));
    const records = parsed.flatMap((each) => ('record' in each ? [each.record] : []));
    const known = await knownIds(records, options);
    const results = parsed.map((each) => ('record' in each ? accept(each.record, known, options) : each));
    const kept = await options.journal.written(diskWaitMs);
    const counts = countOf(results);
    for (const status of statuses) options.recordCounts[status] += counts[status];
    if (!kept || results.some(isForLater))
      return context.json({ ...counts, results }, 503, { 'retry-after': '5' });
    return results.every(isRejected) ? allRejected(results, counts) : context.json({ ...counts, results });
  });
}

type Parsed = { readonly record: LogRecord } | RejectedItem;

function parseOne(item: unknown, headers: Headers, caller: Caller): Parsed {
  const parsed = parseRecord(item, senderOf(headers, caller));
  if (!parsed.ok) return { status: 'rejected', reason: parsed.reason, detail: parsed.detail };
  return foreignClient(parsed.record.clientId, caller) ?? { record: parsed.record };
}

/** Ids that were here before: on their way, or stored. Says nothing of the latter while the log store is down. */
async function knownIds(records: readonly LogRecord[], options: IngestOptions): Promise<Set<string>> {
  const ids = [...new Set(records.map(({ id }) => id))];
  const known = new Set(ids.filter((id) => options.recentIds.has(id)));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length === 0) return known;
  const stored = await Promise.race([
    options.logStore.get(unknown).catch(() => []),
    sleep(lookUpWaitMs, [], { ref: false }),
  ]);
  for (const { id } of stored) known.add(id);
  return known;
}

const full = {
  status: 'rejected',
  reason: 'journal_full',
  detail: 'The gateway keeps as many records as it may until the log store takes them. Send it again later.',
} as const;

function accept(record: LogRecord, known: Set<string>, options: IngestOptions): RecordResult {
  const { id } = record;
  if (known.has(id)) return { status: 'duplicate', id };
  if (!options.journal.append(record)) return full;
  known.add(id);
  options.recentIds.add(id);
  return { status: 'accepted', id };
}

function isForLater(result: RecordResult): boolean {
  return result === full;
}

const statuses = ['accepted', 'duplicate', 'rejected'] as const;

function countOf(results: readonly RecordResult[]): RecordCounts {
  const n = (status: RecordResult['status']) => results.filter((result) => result.status === status).length;
  return { accepted: n('accepted'), duplicate: n('duplicate'), rejected: n('rejected') };
}
