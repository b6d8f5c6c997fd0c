import type {
  ArtifactRef,
  DatasetFiles,
  DatasetSummary,
  SnapshotKind,
  SplitName,
} from '../../domain/datasets/dataset.ts';
import type { Provenance } from '../../domain/records/provenance.ts';

export interface NewSnapshot {
  readonly id: string;
  readonly runId: string;
  readonly workloadId: string;
  readonly bound: string;
  /** Default `deep`. */
  readonly kind?: SnapshotKind;
}

export interface NewDataset {
  readonly summary: DatasetSummary;
  readonly runId: string;
  readonly workloadId: string;
  readonly snapshotId: string;
  readonly seed: number;
  readonly files: DatasetFiles;
}

export interface DatasetLineage {
  /** Persists the bound before anything is read; a second call returns the first one's bound. */
  openSnapshot(
    snapshot: NewSnapshot,
  ): Promise<{ bound: string; artifact: ArtifactRef | null; records: number }>;
  commitSnapshot(id: string, artifact: ArtifactRef, records: number, facts: Provenance): Promise<void>;
  /** Those of the ids that an earlier incremental dataset of the workload was made of. */
  taken(workloadId: string, recordIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * The bound of the workload's last incremental snapshot that became a dataset, on the log store's clock:
   * what came in since is news. Null before the first.
   */
  watermark(workloadId: string): Promise<string | null>;
  /**
   * Stores the dataset and which record went to which split, in one transaction. An incremental snapshot's
   * dataset also takes `taken`, all ids of the snapshot, for good: a `ConflictError` when another has one of
   * them.
   */
  commit(
    dataset: NewDataset,
    membership:
      | AsyncIterable<{ recordId: string; split: SplitName }>
      | Iterable<{ recordId: string; split: SplitName }>,
    taken?: AsyncIterable<string> | Iterable<string>,
  ): Promise<void>;
  get(datasetId: string): Promise<NewDataset>;
}
