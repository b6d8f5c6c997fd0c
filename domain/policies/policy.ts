import type { Strategy } from '../experiments/experiment.ts';
import type { Price } from '../experiments/price.ts';
import type { MetricName } from '../experiments/score.ts';
import type { GuardrailsPolicy } from '../guardrails/guardrails.ts';
import type { JudgeSettings } from '../judging/judge.ts';

/** What a challenger may cost and how slow it may be; null for no limit. */
export interface Budgets {
  /** US dollars per 1,000 calls, failures included: measured tokens × prices. */
  readonly costPerThousandCalls: number | null;
  /** 95th percentile over the evaluation's answers, in milliseconds. */
  readonly latencyP95Ms: number | null;
}

export const redactionKinds = ['email', 'phone', 'card'] as const;
export type RedactionKind = (typeof redactionKinds)[number];

/** What is blanked out of records before they are stored, and of examples in curation. Nothing when both are empty. */
export interface RedactionPolicy {
  readonly kinds: readonly RedactionKind[];
  /** JavaScript regular expressions by the name that replaces their matches: `[<name>]`. */
  readonly patterns: Readonly<Record<string, string>>;
}

/** When runs start by themselves. Times are in `timezone`; null for never. */
export interface SchedulePolicy {
  /** `02:00`: an incremental run, where there is enough news. */
  readonly daily: string | null;
  /** `sun 03:00`: a deep run. */
  readonly weekly: string | null;
  /** IANA name, such as `Europe/Berlin`. */
  readonly timezone: string;
  /** A daily run with fewer new records since the last dataset is skipped. */
  readonly minNewRecords: number;
  /** So many new records since the last run start one, whatever the time. */
  readonly volume: number | null;
}

/**
 * What a workload's owners ask of its runs: one entry of `workloads.yaml`, defaults filled in. A run pins the
 * version it started with; a later change touches later runs.
 */
export interface WorkloadPolicy {
  /** Decides a verdict; `auto`: `call_accuracy` where at least half of the items offer tools, else `rouge_l`. */
  readonly primaryMetric: MetricName | 'auto';
  /** Least value of the primary metric that is good enough, in [0, 1]. */
  readonly threshold: number;
  readonly budgets: Budgets;
  /** By candidate; before those of `candidates.yaml`. */
  readonly prices: Readonly<Record<string, Price>>;
  /** What the workload is there for, in its owners' words; shown beside the numbers. */
  readonly kpi: string | null;
  /** What may be tried; null for everything in `candidates.yaml`. */
  readonly candidates: readonly string[] | null;
  readonly strategies: readonly Strategy[] | null;
  /** Who may decide at the gate; empty for anyone. */
  readonly approvers: readonly string[];
  readonly schedule: SchedulePolicy;
  readonly redaction: RedactionPolicy;
  /** Scores answers for whoever decides; null for none. Advisory. */
  readonly judge: JudgeSettings | null;
  /** What may not be said, by a candidate or through the gateway; null for no such check. */
  readonly guardrails: GuardrailsPolicy | null;
}

/** What holds where `workloads.yaml` is silent. */
export const defaultPolicy: WorkloadPolicy = {
  primaryMetric: 'auto',
  threshold: 0.75,
  budgets: { costPerThousandCalls: null, latencyP95Ms: null },
  prices: {},
  kpi: null,
  candidates: null,
  strategies: null,
  approvers: [],
  // As many as a first dataset needs: fewer teach nothing that yesterday's run did not know.
  schedule: { daily: null, weekly: null, timezone: 'UTC', minNewRecords: 50, volume: null },
  redaction: { kinds: [], patterns: {} },
  judge: null,
  guardrails: null,
};

/** Every policy of a stack. */
export interface Policies {
  /** For workloads that the file does not name. */
  readonly default: WorkloadPolicy;
  readonly workloads: Readonly<Record<string, WorkloadPolicy>>;
}

export function policyOf(policies: Policies, workloadId: string): WorkloadPolicy {
  const own = Object.hasOwn(policies.workloads, workloadId) ? policies.workloads[workloadId] : undefined;
  return own ?? policies.default;
}
