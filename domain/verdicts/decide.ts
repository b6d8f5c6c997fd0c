import { type EvaluationSummary, type ExperimentReport, strategies } from '../experiments/experiment.ts';
import { compareText } from '../order.ts';
import { type BudgetRule, checkBudgets } from './budgets.ts';
import { objectionOf, type SafetyRule } from './safety.ts';
import type { Verdict } from './verdict.ts';

export interface VerdictRule extends BudgetRule {
  readonly primaryMetric: string;
  /** Least value of the primary metric that is good enough for the workload, in [0, 1]. */
  readonly threshold: number;
  /** Absent where the run was planned without guardrails. */
  readonly safety?: SafetyRule;
}

/** A challenger that was measured, with its score on the primary metric. */
interface Measured {
  readonly report: ExperimentReport;
  readonly evaluation: EvaluationSummary;
  readonly score: number;
}

/** What can be said about one challenger. */
interface Assessed extends Measured {
  readonly outcome: Verdict['outcome'];
  readonly reason: string;
}

/**
 * The verdict of a run. Point estimates for now: a paired test is to replace them. Of each challenger:
 *
 *   below the threshold, not above the base of its own candidate, over a budget, or less safe than the champion → hold
 *   its base failed or was left out, a budget cannot be told (no price), or its safety could not be checked → inconclusive
 *   else → promote
 *
 * The best that may be promoted wins; else the best that is inconclusive; else the best. Nothing measured is
 * inconclusive. The champion cannot win; its score stands in the reason. Failures count as wrong throughout.
 */
export function decideVerdict(reports: readonly ExperimentReport[], rule: VerdictRule): Verdict {
  const measured = reports.flatMap((report) => measure(report, rule)).sort(bestFirst);
  const challengers = measured.filter((each) => each.report.role === 'challenger');
  const champion = measured.find((each) => each.report.role === 'champion');
  const assessed = challengers.map((each) => {
    const found = assess(each, challengers, rule);
    return found.outcome === 'promote' ? safeOnly(found, reports, rule) : found;
  });
  const winner =
    assessed.find((each) => each.outcome === 'promote') ??
    assessed.find((each) => each.outcome === 'inconclusive') ??
    assessed[0];
  if (winner === undefined)
    return verdict('inconclusive', undefined, rule, whyNothing(reports, rule), champion);
  return verdict(winner.outcome, winner, rule, winner.reason, champion);
}

function assess(each: Measured, challengers: readonly Measured[], rule: VerdictRule): Assessed {
  const { candidate, strategy } = each.report;
  const found = describe(each, rule);
  if (each.score < rule.threshold)
    return {
      ...each,
      outcome: 'hold',
      reason: `The best experiment is not good enough: ${found}, below the threshold ${show(rule.threshold)}`,
    };
  const reached = `${found}, at least the threshold ${show(rule.threshold)}`;
  const base = challengers.find(({ report }) => report.strategy === 'base' && report.candidate === candidate);
  if (base === undefined) {
    const reason = `${reached}, but the base of ${candidate} was not measured, so it cannot be told whether it is better than base`;
    return { ...each, outcome: 'inconclusive', reason };
  }
  if (strategy !== 'base' && each.score <= base.score)
    return { ...each, outcome: 'hold', reason: `${reached}, but not above its base's ${show(base.score)}` };
  const { exceeded, unknown } = checkBudgets(candidate, each.evaluation, rule);
  if (exceeded.length > 0)
    return { ...each, outcome: 'hold', reason: `${reached}, but ${exceeded.join(', and ')}` };
  if (unknown.length > 0)
    return { ...each, outcome: 'inconclusive', reason: `${reached}, but ${unknown.join(', and ')}` };
  const above = strategy === 'base' ? '' : ` and above its base's ${show(base.score)}`;
  return { ...each, outcome: 'promote', reason: `${reached}${above}` };
}

/** The same, unless guardrails are in the way. */
function safeOnly(found: Assessed, reports: readonly ExperimentReport[], { safety }: VerdictRule): Assessed {
  if (safety === undefined) return found;
  const champion = reports.find(({ role }) => role === 'champion');
  const objection = objectionOf(found.report.safety, champion === undefined ? null : champion.safety, safety);
  if (objection === null) return found;
  return { ...found, outcome: objection.outcome, reason: `${found.reason}, but ${objection.because}` };
}

function measure(report: ExperimentReport, rule: VerdictRule): Measured[] {
  const { evaluation } = report;
  const score = evaluation?.metrics[rule.primaryMetric];
  if (report.status !== 'succeeded' || evaluation === null || score === undefined || evaluation.n === 0)
    return [];
  return [{ report, evaluation, score }];
}

/** Highest score; of equals the simpler strategy, then the candidate whose name sorts first. */
function bestFirst(left: Measured, right: Measured): number {
  return (
    right.score - left.score ||
    strategies.indexOf(left.report.strategy) - strategies.indexOf(right.report.strategy) ||
    compareText(left.report.candidate, right.report.candidate)
  );
}

function verdict(
  outcome: Verdict['outcome'],
  winner: Measured | undefined,
  rule: VerdictRule,
  reason: string,
  champion: Measured | undefined,
): Verdict {
  const beside = champion === undefined ? '' : `; the champion has ${show(champion.score)} on the same items`;
  return {
    outcome,
    ...(winner !== undefined && {
      winner: {
        experimentId: winner.report.experimentId,
        candidate: winner.report.candidate,
        strategy: winner.report.strategy,
      },
    }),
    reason: `${reason}${beside}.`,
    primaryMetric: rule.primaryMetric,
    threshold: rule.threshold,
  };
}

function whyNothing(reports: readonly ExperimentReport[], { primaryMetric }: VerdictRule): string {
  const failed = reports.filter((report) => report.role === 'challenger');
  if (failed.length === 0) return 'No experiment was run';
  const measured = failed.find((report) => report.evaluation !== null)?.evaluation;
  if (measured)
    return `The primary metric ${primaryMetric} does not apply to these items; measured were ${Object.keys(measured.metrics).join(', ')}`;
  const reasons = failed.map(
    (report) =>
      `${report.candidate} × ${report.strategy}: ${report.failure?.reason ?? 'it was not measured'}`,
  );
  return `No experiment was measured (${reasons.join('; ')})`;
}

function describe(each: Measured, rule: VerdictRule): string {
  const { candidate, strategy } = each.report;
  const { n, failed } = each.evaluation;
  const failures = failed === 0 ? '' : `, ${failed} of them failed`;
  return `${candidate} × ${strategy} has ${rule.primaryMetric} ${show(each.score)} (n = ${n}${failures})`;
}

/** Three decimals, cut and not rounded: 0.7499 must not read as a threshold of 0.75 that was reached. */
function show(score: number): string {
  return (Math.floor(score * 1000 + 1e-9) / 1000).toFixed(3);
}
