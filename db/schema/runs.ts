import { bigint, boolean, index, integer, json, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { runStages } from '../../activities/ports/run-lineage.ts';
import type { ArtifactRef, DatasetFiles, DroppedCounts, SplitName } from '../../domain/datasets/dataset.ts';
import { snapshotKinds, splitNames } from '../../domain/datasets/dataset.ts';
import type { Json } from '../../domain/json.ts';
import type { WorkloadPolicy } from '../../domain/policies/policy.ts';
import { at, createdAt, oneOf } from './columns.ts';

export const runStatuses = ['running', 'completed', 'failed', 'cancelled'] as const;

/** One kind of work. A row appears with the workload's first run or route. */
export const workloads = pgTable('workloads', {
  id: text().primaryKey(),
  createdAt: createdAt(),
});

/** A version of a workload's policy, by the hash of its content. Stored once, never changed. */
export const policies = pgTable('policies', {
  version: text().primaryKey(),
  content: json().$type<WorkloadPolicy>().notNull(),
  createdAt: createdAt(),
});

/** One execution of the flywheel workflow. */
export const runs = pgTable(
  'runs',
  {
    id: text().primaryKey(),
    workflowId: text().notNull(),
    workloadId: text()
      .notNull()
      .references(() => workloads.id),
    reason: text().notNull(),
    requestedBy: text().notNull(),
    plan: json().$type<Json>(),
    policyVersion: text().references(() => policies.version),
    stage: text({ enum: runStages }).notNull().default('planning'),
    status: text({ enum: runStatuses }).notNull().default('running'),
    failure: text(),
    startedAt: createdAt(),
    endedAt: at(),
  },
  (t) => [
    index('runs_workload_started').on(t.workloadId, t.startedAt.desc()),
    oneOf('runs_stage', t.stage, runStages),
    oneOf('runs_status', t.status, runStatuses),
  ],
);

/** The exact set of records that a run reads: all below `bound`, then an immutable artifact. */
export const snapshots = pgTable(
  'snapshots',
  {
    id: text().primaryKey(),
    runId: text()
      .notNull()
      .references(() => runs.id),
    workloadId: text()
      .notNull()
      .references(() => workloads.id),
    /** On the log store's clock and in its words; kept as given, so that a retry reads the same set. */
    bound: text().notNull(),
    kind: text({ enum: snapshotKinds }).notNull().default('deep'),
    artifact: jsonb().$type<ArtifactRef>(),
    records: integer(),
    responseSources: jsonb().$type<Record<string, number>>(),
    synthetic: boolean(),
    /** Null for snapshots of before it was noted. */
    toolsInferred: boolean(),
    createdAt: createdAt(),
    committedAt: at(),
  },
  (t) => [index('snapshots_run').on(t.runId), oneOf('snapshots_kind', t.kind, snapshotKinds)],
);

/**
 * Which incremental snapshot took a record, once it became a dataset. The key is what makes it one: no two
 * incremental datasets of a workload are made of the same record.
 */
export const takenRecords = pgTable(
  'taken_records',
  {
    workloadId: text()
      .notNull()
      .references(() => workloads.id),
    recordId: text().notNull(),
    snapshotId: text()
      .notNull()
      .references(() => snapshots.id),
  },
  (t) => [
    primaryKey({ columns: [t.workloadId, t.recordId] }),
    index('taken_records_snapshot').on(t.snapshotId),
  ],
);

/** An immutable result of curation. */
export const datasets = pgTable(
  'datasets',
  {
    id: text().primaryKey(),
    hash: text().notNull(),
    runId: text()
      .notNull()
      .references(() => runs.id),
    workloadId: text()
      .notNull()
      .references(() => workloads.id),
    snapshotId: text()
      .notNull()
      .references(() => snapshots.id),
    seed: bigint({ mode: 'number' }).notNull(),
    splits: jsonb().$type<Record<SplitName, number>>().notNull(),
    dropped: jsonb().$type<DroppedCounts>().notNull(),
    files: jsonb().$type<DatasetFiles>().notNull(),
    createdAt: createdAt(),
  },
  (t) => [index('datasets_run').on(t.runId), index('datasets_hash').on(t.hash)],
);

/** Which record went to which split. The records that were left out stand in the manifest. */
export const datasetRecords = pgTable(
  'dataset_records',
  {
    datasetId: text()
      .notNull()
      .references(() => datasets.id),
    recordId: text().notNull(),
    split: text({ enum: splitNames }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.datasetId, t.recordId] }),
    // From a record to every dataset it is in.
    index('dataset_records_record').on(t.recordId),
    oneOf('dataset_records_split', t.split, splitNames),
  ],
);
