import type { EvaluationSummary, ServingSpec } from '../experiments/experiment.ts';
import type { SafetyReport } from '../guardrails/safety.ts';
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
  /** How what would be served fared against the workload's guardrails; absent where it has none. */
  readonly safety?: SafetyReport;
  readonly verdict: Verdict;
}

/**
 * Hex sha256 of the evidence. A person decides on one digest; change any part of what would be promoted and
 * the decision no longer fits. Not for workflows: it uses Node's crypto.
 */
export function evidenceDigest(evidence: Evidence): string {
  const { runId, workloadId, datasetHash, serving, evaluation, safety, verdict } = evidence;
  const known = { version: 1, runId, workloadId, datasetHash, serving, evaluation, verdict };
  return sha256(canonicalJson(safety === undefined ? known : { ...known, safety }));
}
