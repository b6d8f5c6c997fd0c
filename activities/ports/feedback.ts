import type { Feedback, FeedbackKind, StoredFeedback } from '../../domain/feedback/feedback.ts';

/** `conflict`: the key was used before, for something else; what was stored first stays. */
export type FeedbackResult = 'stored' | 'duplicate' | 'conflict';

export interface FeedbackFilter {
  /** Feedback on any of these records or conversations. */
  readonly recordIds?: readonly string[];
  readonly conversationIds?: readonly string[];
  readonly workloadId?: string;
  readonly kind?: FeedbackKind;
  /** At most so many; 1,000 unless told. */
  readonly limit?: number;
}

/** By kind; kinds without any are left out. */
export type FeedbackCounts = Readonly<Partial<Record<FeedbackKind, number>>>;

/** Keeps feedback. Suite: `test/contracts/lineage/feedback.ts`. */
export interface FeedbackLineage {
  /** Stores what is new, all or nothing; one result per piece, in the given order. */
  add(feedback: readonly Feedback[]): Promise<readonly FeedbackResult[]>;
  /** Newest first. Record and conversation ids widen the choice, workload and kind narrow it. */
  list(filter: FeedbackFilter): Promise<readonly StoredFeedback[]>;
  /** How much feedback a workload has. */
  counts(workloadId: string): Promise<FeedbackCounts>;
}
