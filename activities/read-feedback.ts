import type { FeedbackByRecord } from '../domain/datasets/apply-feedback.ts';
import type { StoredFeedback } from '../domain/feedback/feedback.ts';
import type { StoredRecord } from '../domain/records/record.ts';
import type { FeedbackLineage } from './ports/feedback.ts';

/** Records per question to the lineage. */
const batchSize = 500;

type Lineage = Pick<FeedbackLineage, 'list'>;

/**
 * What was said about these records, or about the conversations that they are part of. A conversation's name is its
 * client's own: feedback on one counts where it came from that client, or says no client.
 */
export async function readFeedback(
  lineage: Lineage,
  records: AsyncIterable<StoredRecord>,
): Promise<FeedbackByRecord> {
  const found = new Map<string, readonly StoredFeedback[]>();
  let batch: StoredRecord[] = [];
  for await (const record of records) {
    batch.push(record);
    if (batch.length < batchSize) continue;
    await addBatch(lineage, batch, found);
    batch = [];
  }
  if (batch.length > 0) await addBatch(lineage, batch, found);
  return found;
}

async function addBatch(
  lineage: Lineage,
  batch: readonly StoredRecord[],
  found: Map<string, readonly StoredFeedback[]>,
): Promise<void> {
  const conversationIds = [...new Set(batch.flatMap(({ conversationId }) => conversationId ?? []))];
  const pieces = await lineage.list({
    recordIds: batch.map(({ id }) => id),
    ...(conversationIds.length > 0 && { conversationIds }),
    limit: Number.MAX_SAFE_INTEGER,
  });
  for (const record of batch) {
    const about = pieces.filter(({ recordId }) => recordId === record.id);
    const around = pieces.filter((piece) => isAboutItsConversation(piece, record));
    if (about.length + around.length > 0) found.set(record.id, [...about, ...around]);
  }
}

function isAboutItsConversation(piece: StoredFeedback, record: StoredRecord): boolean {
  return (
    piece.recordId === null &&
    piece.conversationId === (record.conversationId ?? null) &&
    (piece.clientId ?? record.clientId) === record.clientId &&
    (piece.workloadId ?? record.workloadId) === record.workloadId
  );
}
