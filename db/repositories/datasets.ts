import { and, desc, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { DatasetLineage, NewDataset, NewSnapshot } from '../../activities/ports/dataset-lineage.ts';
import type { SplitName } from '../../domain/datasets/dataset.ts';
import type { Database, Queries } from '../connect.ts';
import { one } from '../rows.ts';
import { datasets, runs, snapshots } from '../schema/runs.ts';
import { toDatasetSummary } from './run-view.ts';

/** Rows per insert: large enough that 100,000 take seconds, small enough to stay far from memory limits. */
const batchSize = 5_000;

interface Membership {
  readonly recordId: string;
  readonly split: SplitName;
}

export function createDatasetLineage(db: Database): DatasetLineage {
  return {
    openSnapshot: (snapshot) => openSnapshot(db, snapshot),
    async commitSnapshot(id, artifact, records, { responseSources, synthetic, toolsInferred }) {
      const committed = await db
        .update(snapshots)
        .set({
          artifact,
          records,
          responseSources: { ...responseSources },
          synthetic,
          toolsInferred,
          committedAt: sql`now()`,
        })
        .where(and(eq(snapshots.id, id), isNull(snapshots.artifact)))
        .returning({ id: snapshots.id });
      if (committed.length === 0) await findSnapshot(db, id);
    },
    taken: (workloadId, recordIds) => takenOf(db, workloadId, recordIds),
    watermark: (workloadId) => watermarkOf(db, workloadId),
    commit: (dataset, membership, taken = []) => commitDataset(db, dataset, membership, taken),
    async get(datasetId) {
      const found = await db.select().from(datasets).where(eq(datasets.id, datasetId));
      return toNewDataset(one(found, `dataset "${datasetId}"`));
    },
  };
}

async function openSnapshot(db: Database, snapshot: NewSnapshot) {
  const { id, runId, workloadId, bound, kind = 'deep' } = snapshot;
  await db.insert(snapshots).values({ id, runId, workloadId, bound, kind }).onConflictDoNothing();
  const kept = await findSnapshot(db, id);
  return { bound: kept.bound, artifact: kept.artifact, records: kept.records ?? 0 };
}

async function findSnapshot(db: Database, id: string) {
  return one(await db.select().from(snapshots).where(eq(snapshots.id, id)), `snapshot "${id}"`);
}

async function takenOf(
  db: Database,
  workloadId: string,
  recordIds: readonly string[],
): Promise<ReadonlySet<string>> {
  // One parameter, however many ids there are.
  const rows = await db.execute<{ record_id: string }>(sql`
    select record_id from taken_records where workload_id = ${workloadId}
      and record_id in (select json_array_elements_text(${JSON.stringify(recordIds)}::text::json))`);
  return new Set(rows.map((row) => row.record_id));
}

async function watermarkOf(db: Database, workloadId: string): Promise<string | null> {
  const rows = await db
    .select({ bound: snapshots.bound })
    .from(snapshots)
    .innerJoin(datasets, eq(datasets.snapshotId, snapshots.id))
    .innerJoin(runs, eq(runs.id, snapshots.runId))
    .where(
      and(
        eq(snapshots.workloadId, workloadId),
        eq(snapshots.kind, 'incremental'),
        // Of a run that came to nothing the records were given back.
        inArray(runs.status, ['running', 'completed']),
      ),
    )
    .orderBy(desc(datasets.createdAt))
    .limit(1);
  return rows[0]?.bound ?? null;
}

/** One transaction: a dataset is there with all its records, or not at all. */
async function commitDataset(
  db: Database,
  { summary, ...dataset }: NewDataset,
  membership: AsyncIterable<Membership> | Iterable<Membership>,
  taken: AsyncIterable<string> | Iterable<string>,
): Promise<void> {
  await db.transaction(async (tx) => {
    const made = await tx
      .insert(datasets)
      .values({ ...summary, ...dataset, splits: { ...summary.splits } })
      .onConflictDoNothing()
      .returning({ id: datasets.id });
    if (made.length === 0) return;
    for await (const batch of batches(membership)) await insertMembership(tx, summary.id, batch);
    for await (const batch of batches(taken)) await insertTaken(tx, dataset, batch);
  });
}

async function insertMembership(tx: Queries, datasetId: string, batch: readonly Membership[]): Promise<void> {
  const rows = JSON.stringify(batch.map(({ recordId, split }) => [recordId, split]));
  await tx.execute(sql`
    insert into dataset_records (dataset_id, record_id, split)
    select ${datasetId}, row ->> 0, row ->> 1 from json_array_elements(${rows}::text::json) as row
    on conflict do nothing`);
}

/** No `on conflict`: a record that another dataset took meanwhile undoes the whole commit. */
async function insertTaken(
  tx: Queries,
  { workloadId, snapshotId }: { workloadId: string; snapshotId: string },
  recordIds: readonly string[],
): Promise<void> {
  await tx.execute(sql`
    insert into taken_records (workload_id, record_id, snapshot_id)
    select ${workloadId}, id, ${snapshotId}
    from json_array_elements_text(${JSON.stringify(recordIds)}::text::json) as id`);
}

async function* batches<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function toNewDataset(row: typeof datasets.$inferSelect): NewDataset {
  const { runId, workloadId, snapshotId, seed, files } = row;
  return { summary: toDatasetSummary(row), runId, workloadId, snapshotId, seed, files };
}
