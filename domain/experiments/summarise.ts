import type { EvaluationSummary } from './experiment.ts';
import { type MetricName, metricNames } from './score.ts';

/** What a summary needs of an asked item. */
export interface ScoredItem {
  /** Kind of failure, or null for an answer that could be scored. */
  readonly failure: string | null;
  readonly scores: Readonly<Record<string, number>>;
  readonly latencyMs: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

/** Computes an evaluation's summary from its items, whatever their order. Every item counts, failed or not. */
export function summarise(evaluationId: string, items: readonly ScoredItem[]): EvaluationSummary {
  const failures = countFailures(items);
  return {
    evaluationId,
    n: items.length,
    failed: Object.values(failures).reduce((sum, count) => sum + count, 0),
    failures,
    metrics: Object.fromEntries(orderedMetrics(items).map((metric) => [metric, meanScore(items, metric)])),
    latencyMs: latencyOf(items),
    tokens: {
      prompt: items.reduce((sum, item) => sum + (item.promptTokens ?? 0), 0),
      completion: items.reduce((sum, item) => sum + (item.completionTokens ?? 0), 0),
    },
  };
}

/**
 * The metric that a verdict rests on: `call_accuracy` where at least half of the items offer tools, so that
 * one stray tool call does not change what a workload is judged by; else `rouge_l`, since free text is hardly
 * ever equal word for word, and for a label of one word ROUGE-L is exact match up to case.
 */
export function primaryMetric(items: readonly Pick<ScoredItem, 'scores'>[]): MetricName {
  const withTools = items.filter((item) => item.scores.call_accuracy !== undefined).length;
  return withTools > 0 && withTools * 2 >= items.length ? 'call_accuracy' : 'rouge_l';
}

/** The primary one, our others, then those of a provider's evaluator by name. */
function orderedMetrics(items: readonly ScoredItem[]): string[] {
  const primary = primaryMetric(items);
  const measured = metricNames.filter((metric) => items.some((item) => item.scores[metric] !== undefined));
  const foreign = new Set(items.flatMap((item) => Object.keys(item.scores)).filter(isForeign));
  return [
    ...measured.sort((left, right) => Number(right === primary) - Number(left === primary)),
    ...[...foreign].sort(),
  ];
}

function isForeign(metric: string): boolean {
  return !(metricNames as readonly string[]).includes(metric);
}

function meanScore(items: readonly ScoredItem[], metric: string): number {
  // Sorted, because a sum of floating-point numbers depends on their order and the result is hashed.
  const scores = items.flatMap((item) => item.scores[metric] ?? []).sort((left, right) => left - right);
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function countFailures(items: readonly ScoredItem[]): Record<string, number> {
  const kinds = items.flatMap((item) => item.failure ?? []).sort();
  const counts: Record<string, number> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Percentiles by nearest rank: a latency that was measured, not one between two. */
function latencyOf(items: readonly ScoredItem[]): EvaluationSummary['latencyMs'] {
  const sorted = items.flatMap((item) => item.latencyMs ?? []).sort((left, right) => left - right);
  if (sorted.length === 0) return null;
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
  const isSample = items.some(({ failure, latencyMs }) => failure === null && latencyMs === null);
  return { p50: at(0.5), p95: at(0.95), ...(isSample && { of: sorted.length }) };
}
