import { and, count, desc, eq, getTableColumns, inArray, or } from 'drizzle-orm';
import type { FeedbackFilter, FeedbackLineage, FeedbackResult } from '../../activities/ports/feedback.ts';
import type { Feedback, FeedbackKind, StoredFeedback } from '../../domain/feedback/feedback.ts';
import type { Database, Queries } from '../connect.ts';
import { toIso, toIsoOrNull } from '../rows.ts';
import { feedback } from '../schema/feedback.ts';
import { datasetRecords } from '../schema/runs.ts';

/** Rows per insert: thirteen parameters each, of the 65,535 that one statement may have. */
const batchSize = 1_000;
const defaultLimit = 1_000;

export function createFeedbackLineage(db: Database): FeedbackLineage {
  return {
    add: (pieces) => db.transaction((tx) => addAll(tx, pieces)),
    list: (filter) => listFeedback(db, filter),
    async counts(workloadId) {
      const rows = await db
        .select({ kind: feedback.kind, n: count() })
        .from(feedback)
        .where(eq(feedback.workloadId, workloadId))
        .groupBy(feedback.kind);
      return Object.fromEntries(rows.map(({ kind, n }) => [kind, n]));
    },
  };
}

async function addAll(tx: Queries, pieces: readonly Feedback[]): Promise<FeedbackResult[]> {
  const results: FeedbackResult[] = [];
  for (let start = 0; start < pieces.length; start += batchSize)
    results.push(...(await addBatch(tx, pieces.slice(start, start + batchSize))));
  return results;
}

async function addBatch(tx: Queries, pieces: readonly Feedback[]): Promise<FeedbackResult[]> {
  // Two senders of the same feedback in different orders could deadlock; PostgreSQL ends one, who may try again.
  const stored = await tx
    .insert(feedback)
    .values([...pieces])
    .onConflictDoNothing()
    .returning({ id: feedback.id, hash: feedback.hash });
  const fresh = new Map(stored.map(({ id, hash }) => [id, hash]));
  const known = await tx
    .select({ id: feedback.id, hash: feedback.hash })
    .from(feedback)
    .where(inArray(feedback.id, [...new Set(pieces.map(({ id }) => id))]));
  const kept = new Map(known.map(({ id, hash }) => [id, hash]));
  return pieces.map(({ id, hash }) => {
    if (kept.get(id) !== hash) return 'conflict';
    // The first of a batch is the stored one; the same piece again in it is a duplicate.
    return fresh.delete(id) ? 'stored' : 'duplicate';
  });
}

async function listFeedback(db: Database, filter: FeedbackFilter): Promise<readonly StoredFeedback[]> {
  const { recordIds, conversationIds, workloadId, kind, limit = defaultLimit } = filter;
  const about = or(
    recordIds && inArray(feedback.recordId, [...recordIds]),
    conversationIds && inArray(feedback.conversationId, [...conversationIds]),
  );
  const { sequence, ...columns } = getTableColumns(feedback);
  const rows = await db
    .select(columns)
    .from(feedback)
    .where(
      and(
        about,
        workloadId === undefined ? undefined : eq(feedback.workloadId, workloadId),
        kind && eq(feedback.kind, kind),
      ),
    )
    .orderBy(desc(sequence))
    .limit(limit);
  return rows.map((row) => toStored(row));
}

function toStored(row: Omit<typeof feedback.$inferSelect, 'sequence'>): StoredFeedback {
  return {
    ...row,
    value: row.value ?? null,
    givenAt: toIsoOrNull(row.givenAt),
    storedAt: toIso(row.storedAt),
  };
}

/** How much feedback of each kind there is on the dataset's records; undefined when there is none. */
export async function feedbackOnDataset(
  db: Queries,
  datasetId: string,
): Promise<Partial<Record<FeedbackKind, number>> | undefined> {
  const rows = await db
    .select({ kind: feedback.kind, n: count() })
    .from(feedback)
    .innerJoin(datasetRecords, eq(datasetRecords.recordId, feedback.recordId))
    .where(eq(datasetRecords.datasetId, datasetId))
    .groupBy(feedback.kind);
  return rows.length === 0 ? undefined : Object.fromEntries(rows.map(({ kind, n }) => [kind, n]));
}
