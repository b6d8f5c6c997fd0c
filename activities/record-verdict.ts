import type { ExperimentReport, ServingSpec } from '../domain/experiments/experiment.ts';
import { defaultPolicy, type WorkloadPolicy } from '../domain/policies/policy.ts';
import { provenance } from '../domain/records/provenance.ts';
import { decideVerdict, type VerdictRule } from '../domain/verdicts/decide.ts';
import { evidenceDigest } from '../domain/verdicts/digest.ts';
import type { Verdict } from '../domain/verdicts/verdict.ts';
import type { RunPlan } from './plan-run.ts';
import type { Lineage } from './ports/lineage.ts';

export interface RecordedVerdict {
  readonly verdict: Verdict;
  /** Hash of exactly what an approval would promote. */
  readonly digest: string;
  /** What an approval would serve; null when nothing could be measured. */
  readonly serving: ServingSpec | null;
  /** What the numbers rest on (synthetic traffic, gold labels); null for a production model's answers alone. */
  readonly remark: string | null;
}

export interface RecordVerdictPorts {
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'setStage' | 'view'>;
    readonly decisions: Pick<Lineage['decisions'], 'recordVerdict'>;
  };
}

export interface RecordVerdictInput {
  readonly plan: RunPlan;
  readonly datasetHash: string;
  readonly reports: readonly ExperimentReport[];
}

type Reports = readonly ExperimentReport[];

/** Judges the reports and stores the verdict with its digest. */
export function createRecordVerdict({ lineage }: RecordVerdictPorts) {
  async function recordVerdict({ plan, datasetHash, reports }: RecordVerdictInput): Promise<RecordedVerdict> {
    const { runId, workloadId } = plan;
    await lineage.runs.setStage(runId, 'verdict');
    const verdict = decideVerdict(reports, verdictRule(plan, reports));
    const winner = reports.find((report) => report.experimentId === verdict.winner?.experimentId);
    const serving = winner?.serving ?? null;
    const evaluation = winner?.evaluation ?? null;
    const digest = evidenceDigest({
      ...{ runId, workloadId, datasetHash, serving, evaluation, verdict },
      ...(winner?.safety && { safety: winner.safety }),
    });
    await lineage.decisions.recordVerdict(runId, verdict, digest, serving);
    return { verdict, digest, serving, remark: provenance(await lineage.runs.view(runId)) };
  }
  return { recordVerdict };
}

/** A run that began before there were policies pinned its threshold alone. */
function policyOf(plan: Partial<RunPlan> & { readonly threshold?: number }): WorkloadPolicy {
  return plan.policy ?? { ...defaultPolicy, threshold: plan.threshold ?? defaultPolicy.threshold };
}

function verdictRule(plan: RunPlan, reports: Reports): VerdictRule {
  const { primaryMetric, threshold, budgets, prices } = policyOf(plan);
  const listed = plan.experiments.flatMap(({ candidate: { name, price } }) => (price ? [[name, price]] : []));
  return {
    primaryMetric: primaryMetric === 'auto' ? measuredFirst(reports) : primaryMetric,
    threshold,
    budgets,
    prices: { ...Object.fromEntries(listed), ...prices },
    ...(plan.guardrails && { safety: { minPass: plan.guardrails.minPass } }),
  };
}

/** All experiments answer the same items, so that they share it; it stands first. */
function measuredFirst(reports: Reports): string {
  const measured = reports.find((report) => report.evaluation);
  return Object.keys(measured?.evaluation?.metrics ?? {})[0] ?? 'none';
}
