import type { EvaluationSummary, ServingSpec } from '../experiments/experiment.ts';
import { canonicalJson, sha256 } from '../hash.ts';
import type { Verdict } from './verdict.ts';

/** Exactly what an approval would promote, and what it rests on. */
export interface Evidence {
  readonly runId: string;
  readonly workloadId: string;
  readonly datasetHash: string;
  /** What would be served; null when the run has no challenger that was measured. */
  readonly serving: ServingSpec | null;
  readonly evaluation: EvaluationSummary | null;
  readonly verdict: Verdict;
}

/**
 * Hex sha256 of the evidence. A person decides on one digest; change any part of what would be promoted and
 * the decision no longer fits. Not for workflows: it uses Node's crypto.
 */
export function evidenceDigest(evidence: Evidence): string {
  const { runId, workloadId, datasetHash, serving, evaluation, verdict } = evidence;
  return sha256(canonicalJson({ version: 1, runId, workloadId, datasetHash, serving, evaluation, verdict }));
}
