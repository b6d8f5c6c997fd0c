import { type EvaluationSummary, type ExperimentReport, strategies } from '../experiments/experiment.ts';
import { compareText } from '../order.ts';
import type { Verdict } from './verdict.ts';

export interface VerdictRule {
  readonly primaryMetric: string;
  /** Least value of the primary metric that is good enough for the workload, in [0, 1]. */
  readonly threshold: number;
}

/** A challenger that was measured, with its score on the primary metric. */
interface Measured {
  readonly report: ExperimentReport;
  readonly evaluation: EvaluationSummary;
  readonly score: number;
}

/**
 * The verdict of a run. Point estimates for now: a paired test is to replace them.
 *
 *   at or above the threshold, and (unless it is base itself) above the base of its own candidate
 *     → promote the best of these
 *   one above the threshold, but its base failed or was left out → inconclusive: nothing to compare it with
 *   nothing measured → inconclusive;   otherwise → hold
 *
 * The champion cannot win; its score stands in the reason. Failures count as wrong answers throughout.
 */
export function decideVerdict(reports: readonly ExperimentReport[], rule: VerdictRule): Verdict {
  const measured = reports.flatMap((report) => measure(report, rule)).sort(bestFirst);
  const challengers = measured.filter((each) => each.report.role === 'challenger');
  const champion = measured.find((each) => each.report.role === 'champion');
  const good = challengers.filter((each) => each.score >= rule.threshold);
  const baseOf = (each: Measured): Measured | undefined =>
    challengers.find(
      (other) => other.report.strategy === 'base' && other.report.candidate === each.report.candidate,
    );

  const promoted = good.find((each) => {
    const base = baseOf(each);
    return base !== undefined && (base === each || each.score > base.score);
  });
  if (promoted !== undefined)
    return verdict('promote', promoted, rule, whyPromoted(promoted, baseOf(promoted), rule), champion);

  const uncompared = good.find((each) => baseOf(each) === undefined);
  if (uncompared !== undefined) {
    const reason =
      `${describe(uncompared, rule)}, at least the threshold ${show(rule.threshold)}, but the base of ` +
      `${uncompared.report.candidate} was not measured, so it cannot be told whether it is better than base`;
    return verdict('inconclusive', uncompared, rule, reason, champion);
  }
  const best = challengers[0];
  if (best === undefined) return verdict('inconclusive', undefined, rule, whyNothing(reports), champion);
  return verdict('hold', best, rule, whyHeld(best, rule), champion);
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

function whyPromoted(winner: Measured, base: Measured | undefined, rule: VerdictRule): string {
  const reached = `${describe(winner, rule)}, at least the threshold ${show(rule.threshold)}`;
  if (base === undefined || base === winner) return reached;
  return `${reached} and above its base's ${show(base.score)}`;
}

/** Nothing compared reached the threshold: had one, then either it or its base would have been promoted. */
function whyHeld(best: Measured, rule: VerdictRule): string {
  return `The best experiment is not good enough: ${describe(best, rule)}, below the threshold ${show(rule.threshold)}`;
}

function whyNothing(reports: readonly ExperimentReport[]): string {
  const failed = reports.filter((report) => report.role === 'challenger');
  if (failed.length === 0) return 'No experiment was run';
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
