import type { Json } from '../json.ts';
import type { ChatMessage, Target, Tool } from '../records/chat.ts';

export const splitNames = ['train', 'validation', 'eval'] as const;
export type SplitName = (typeof splitNames)[number];

/** Everything large travels as one of these, never through Temporal (claim check). */
export interface ArtifactRef {
  /** `artifact:sha256/<hex>`; resolved by the artifact store. */
  readonly uri: string;
  /** Hex, lower case, of the exact bytes. */
  readonly sha256: string;
  readonly bytes: number;
  /** Lines of a JSONL artifact. */
  readonly rows: number;
}

/** A usable record made regular: what curation hands to splitting, training and scoring. */
export interface Example {
  readonly recordId: string;
  /** Examples of one group (a conversation, or the same opening) share a split. */
  readonly group: string;
  /** Tool name of the first call, `no_tool` (tools offered, answered in text) or `plain` (no tools). */
  readonly label: string;
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly Tool[];
  /** The request's `tool_choice` where it forces a call: asked again the same way. */
  readonly toolChoice?: Json;
  readonly target: Target;
  /** The feedback whose answer the target is; absent where the target is the record's own. */
  readonly correctedBy?: string;
  /** What the workload's policy had blanked out of it, counted by name. Absent where nothing was found. */
  readonly redacted?: Readonly<Record<string, number>>;
}

export const snapshotKinds = ['incremental', 'deep'] as const;
/**
 * What a run reads: `deep`, every record of the workload; `incremental`, those that no earlier incremental
 * dataset was made of.
 */
export type SnapshotKind = (typeof snapshotKinds)[number];

/** Counts by reason of the records that a dataset left out. */
export type DroppedCounts = Readonly<Record<string, number>>;

export interface SnapshotSummary {
  readonly id: string;
  readonly records: number;
}

export interface DatasetSummary {
  readonly id: string;
  /** sha256 of the manifest's canonical content: same records, seed and rules, same hash. */
  readonly hash: string;
  readonly splits: Readonly<Record<SplitName, number>>;
  readonly dropped: DroppedCounts;
}

/** A dataset's files: training rows in OpenAI's fine-tuning form, eval rows as `Example`. */
export interface DatasetFiles {
  readonly manifest: ArtifactRef;
  readonly train: ArtifactRef;
  readonly validation: ArtifactRef;
  /** The train split as `Example` rows, for choosing few-shot examples. */
  readonly trainExamples: ArtifactRef;
  readonly eval: ArtifactRef;
}
