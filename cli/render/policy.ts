import type { WorkloadPolicy } from '../../domain/policies/policy.ts';
import { usd } from '../../domain/verdicts/budgets.ts';

/** A policy as lines of `name  value`; what is not asked for says so. */
export function policyLines(policy: WorkloadPolicy): string {
  const rows: [string, string][] = [
    ['primary metric', `${policy.primaryMetric}, at least ${policy.threshold}`],
    ['budgets', budgets(policy)],
    ['prices', prices(policy)],
    ['kpi', policy.kpi ?? '–'],
    ['candidates', policy.candidates?.join(', ') ?? 'all'],
    ['strategies', policy.strategies?.join(', ') ?? 'each candidate’s own'],
    ['approvers', policy.approvers.join(', ') || 'anyone'],
    ['schedule', schedule(policy)],
    ['redaction', redaction(policy)],
    ['guardrails', guardrails(policy)],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(16)}${value}`).join('\n');
}

/** What decides a verdict, in one line. */
export function policyLine(policy: WorkloadPolicy & { readonly version: string }): string {
  const { primaryMetric, threshold, version } = policy;
  const parts = [`${primaryMetric} ≥ ${threshold}`];
  if (hasBudget(policy)) parts.push(budgets(policy));
  if (policy.approvers.length > 0) parts.push(`approvers ${policy.approvers.join(', ')}`);
  if (policy.guardrails) parts.push('guardrails');
  if (policy.kpi !== null) parts.push(`kpi: ${policy.kpi}`);
  return `${version.slice(0, 12)}  ${parts.join(', ')}`;
}

function hasBudget({ budgets: { costPerThousandCalls, latencyP95Ms } }: WorkloadPolicy): boolean {
  return costPerThousandCalls !== null || latencyP95Ms !== null;
}

function budgets({ budgets: { costPerThousandCalls, latencyP95Ms } }: WorkloadPolicy): string {
  const parts = [
    ...(costPerThousandCalls === null ? [] : [`at most ${usd(costPerThousandCalls)} per 1,000 calls`]),
    ...(latencyP95Ms === null ? [] : [`P95 at most ${latencyP95Ms} ms`]),
  ];
  return parts.join(', ') || 'none';
}

function prices(policy: WorkloadPolicy): string {
  return (
    Object.entries(policy.prices)
      .map(
        ([name, { prompt, completion }]) => `${name} ${usd(prompt)} in, ${usd(completion)} out per 1M tokens`,
      )
      .join('; ') || 'none'
  );
}

function schedule({ schedule: { daily, weekly, timezone, minNewRecords, volume } }: WorkloadPolicy): string {
  const parts = [
    ...(daily === null ? [] : [`daily ${daily} with ${minNewRecords} new records or more`]),
    ...(weekly === null ? [] : [`weekly ${weekly}`]),
    ...(volume === null ? [] : [`after ${volume} new records`]),
  ];
  return parts.length === 0 ? 'none' : `${parts.join(', ')} (${timezone})`;
}

function redaction({ redaction: { kinds, patterns } }: WorkloadPolicy): string {
  return [...kinds, ...Object.keys(patterns)].join(', ') || 'none';
}

/** A version of before there were any has none. */
function guardrails({ guardrails: rails }: WorkloadPolicy): string {
  if (!rails) return 'none';
  const rules = (['questions', 'answers'] as const).flatMap((kind) =>
    Object.keys(rails[kind]).map((name) => `${kind}.${name}`),
  );
  return [
    rules.join(', ') || 'no rules of its own',
    `checked by ${rails.provider ?? 'Flywheel'}`,
    ...(rails.safetySet === null ? [] : [`safety set and ${rails.safetySet}`]),
    `at least ${rails.minPass} of it without a champion`,
    rails.enforce ? 'enforced in the gateway' : 'not enforced in the gateway',
  ].join('; ');
}
