import type { EvaluationSummary } from '../experiments/experiment.ts';
import type { Price } from '../experiments/price.ts';
import type { Budgets } from '../policies/policy.ts';

export interface BudgetRule {
  readonly budgets: Budgets;
  /** By candidate. */
  readonly prices: Readonly<Record<string, Price>>;
}

/** What is over its limit, and what cannot be told; each a phrase with the numbers. */
export interface BudgetCheck {
  readonly exceeded: readonly string[];
  readonly unknown: readonly string[];
}

/**
 * US dollars per 1,000 calls: the evaluation's tokens × the price, over all items. Null without a price, or where
 * the provider reported no tokens. A failed item counts as a call that cost what was reported for it.
 */
export function costPerThousandCalls(
  { tokens, n }: Pick<EvaluationSummary, 'tokens' | 'n'>,
  price: Price | undefined,
): number | null {
  if (price === undefined || n === 0 || tokens.prompt + tokens.completion === 0) return null;
  const paid = (tokens.prompt * price.prompt + tokens.completion * price.completion) / 1e6;
  return (paid / n) * 1000;
}

/** Holds a measured experiment against the budgets. */
export function checkBudgets(
  candidate: string,
  evaluation: EvaluationSummary,
  { budgets, prices }: BudgetRule,
): BudgetCheck {
  const exceeded: string[] = [];
  const unknown: string[] = [];
  const { costPerThousandCalls: mostUsd, latencyP95Ms: longestMs } = budgets;
  if (mostUsd !== null) {
    const price = Object.hasOwn(prices, candidate) ? prices[candidate] : undefined;
    const cost = costPerThousandCalls(evaluation, price);
    if (cost === null) unknown.push(whyNoCost(candidate, price));
    else if (cost > mostUsd)
      exceeded.push(`1,000 calls cost ${usd(cost)}, above the budget of ${usd(mostUsd)}`);
  }
  if (longestMs !== null) {
    const { p95, of } = evaluation.latencyMs ?? {};
    const by = of === undefined ? '' : ` (measured on ${of} of its answers)`;
    if (p95 === undefined) unknown.push('no latency was measured');
    else if (p95 > longestMs)
      exceeded.push(`its P95 latency is ${Math.round(p95)} ms${by}, above the budget of ${longestMs} ms`);
  }
  return { exceeded, unknown };
}

function whyNoCost(candidate: string, price: Price | undefined): string {
  return price === undefined
    ? `neither candidates.yaml nor workloads.yaml has a price of ${candidate}, so that its cost cannot be told`
    : 'its provider reported no tokens, so that its cost cannot be told';
}

/** Three digits that tell, two decimals at least: prices span five orders of magnitude. */
export function usd(amount: number): string {
  const digits = amount >= 1 || amount === 0 ? 2 : 2 - Math.ceil(Math.log10(amount)) + 1;
  return `$${amount.toFixed(Math.min(digits, 10))}`;
}
