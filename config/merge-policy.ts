import type { Price } from '../domain/experiments/price.ts';
import { type GuardrailsPolicy, noGuardrails } from '../domain/guardrails/guardrails.ts';
import type { WorkloadPolicy } from '../domain/policies/policy.ts';
import type { PolicyEntry } from './policies-schema.ts';
import { toPrice } from './price-schema.ts';

/** What the entry says, over `base`. Maps are merged key by key, lists replaced; null takes away. */
export function mergePolicy(base: WorkloadPolicy, entry: PolicyEntry): WorkloadPolicy {
  return {
    primaryMetric: entry.primary_metric ?? base.primaryMetric,
    threshold: entry.threshold ?? base.threshold,
    budgets: mergeBudgets(base.budgets, entry.budgets),
    prices: { ...base.prices, ...toPrices(entry.prices) },
    kpi: given(entry.kpi, base.kpi),
    candidates: given(entry.candidates, base.candidates),
    strategies: given(entry.strategies, base.strategies),
    judge: entry.judge === undefined ? base.judge : entry.judge,
    approvers: entry.approvers ?? base.approvers,
    schedule: mergeSchedule(base.schedule, entry.schedule),
    redaction: {
      kinds: entry.redaction?.kinds ?? base.redaction.kinds,
      patterns: { ...base.redaction.patterns, ...entry.redaction?.patterns },
    },
    guardrails: mergeGuardrails(base.guardrails, entry.guardrails),
  };
}

/** An entry that names any of it switches it on. */
function mergeGuardrails(
  base: GuardrailsPolicy | null,
  entry: PolicyEntry['guardrails'],
): GuardrailsPolicy | null {
  if (entry === undefined || entry === null) return entry === null ? null : base;
  const before = base ?? noGuardrails;
  return {
    questions: { ...before.questions, ...entry.questions },
    answers: { ...before.answers, ...entry.answers },
    provider: given(entry.provider, before.provider),
    safetySet: given(entry.safety_set, before.safetySet),
    minPass: entry.min_pass ?? before.minPass,
    enforce: entry.enforce ?? before.enforce,
  };
}

function mergeBudgets(base: WorkloadPolicy['budgets'], entry: PolicyEntry['budgets']) {
  return {
    costPerThousandCalls: given(entry?.cost_per_1k_calls_usd, base.costPerThousandCalls),
    latencyP95Ms: given(entry?.latency_p95_ms, base.latencyP95Ms),
  };
}

function mergeSchedule(base: WorkloadPolicy['schedule'], entry: PolicyEntry['schedule']) {
  return {
    daily: given(entry?.daily, base.daily),
    weekly: given(entry?.weekly, base.weekly),
    timezone: entry?.timezone ?? base.timezone,
    minNewRecords: entry?.min_new_records ?? base.minNewRecords,
    volume: given(entry?.volume, base.volume),
  };
}

/** Absent keeps what was there; null is an answer. */
function given<T>(value: T | null | undefined, base: T | null): T | null {
  return value === undefined ? base : value;
}

function toPrices(prices: PolicyEntry['prices'] = {}): Record<string, Price> {
  return Object.fromEntries(Object.entries(prices).map(([candidate, price]) => [candidate, toPrice(price)]));
}
