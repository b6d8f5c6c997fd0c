import type { LogRecord, StoredRecord } from '../../domain/records/record.ts';

export interface AppendResult {
  readonly stored: number;
  /** Records whose id was stored before; the first one stays. */
  readonly duplicates: number;
}

export interface WorkloadSummary {
  readonly workloadId: string;
  readonly records: number;
  readonly clients: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
}

/** Keeps logged calls. Suite: `test/contracts/log-store.contract.ts`. */
export interface LogStore {
  /** Stores records by id, in any batch size. Idempotent: an id that is there already is a duplicate. */
  append(records: readonly LogRecord[]): Promise<AppendResult>;
  /**
   * A time on the store's clock below which no further record can appear: behind the longest possible
   * write. A snapshot reads strictly below it and so reads the same set each time. RFC 3339, microseconds.
   */
  snapshotBound(): Promise<string>;
  /** The workload's records with `ingestedAt` below `bound`, in ascending order of id, in batches. */
  read(workloadId: string, bound: string): AsyncIterable<readonly StoredRecord[]>;
  /** The ids alone of what `read` reads, in the same order: cheap, since no payload is touched. */
  readIds(workloadId: string, bound: string): AsyncIterable<readonly string[]>;
  /** The workload's records with `ingestedAt` at or after `since` (RFC 3339); all of them for null. */
  countSince(workloadId: string, since: string | null): Promise<number>;
  /** In ascending order of id, without those that are not there. */
  get(ids: readonly string[]): Promise<readonly StoredRecord[]>;
  workloads(): Promise<readonly WorkloadSummary[]>;
  /** Resolves when the store answers; rejects with `UnavailableError` otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
