import { asPercent } from '../domain/experiments/as-percent.ts';
import type {
  EvaluationSummary,
  ExperimentReport,
  ExperimentStage,
  ServingSpec,
} from '../domain/experiments/experiment.ts';
import { describeSafety, type SafetyReport } from '../domain/guardrails/safety.ts';
import type { Route } from '../domain/routes/route.ts';
import { type CommandFlags, noFlags } from '../domain/runs/command-flags.ts';
import type { SweepReport } from '../domain/schedules/sweep.ts';
import { shellWord } from '../domain/shell-word.ts';
import type { Decision, GateStatus } from '../domain/verdicts/verdict.ts';
import type { ExperimentInput, GateInput, RolloutInput, StartedRollout, SweepInput } from './messages.ts';
import type { RunFacts } from './run-progress.ts';
import { flywheelId, gateId } from './workflow-ids.ts';

// Markdown for the Web UI's "current details": what an operator has to know, and what to type.

const runSteps = ['planning', 'snapshot', 'curation', 'experiments', 'verdict', 'done'] as const;

export function runDetails(facts: RunFacts): string {
  const { workloadId, trigger, stage } = facts;
  const reached = runSteps.indexOf(stage as (typeof runSteps)[number]);
  const steps = runSteps
    .slice(0, -1)
    .map((step, index) => `- ${mark(index, reached)} ${step}${stepFact(step, facts)}`);
  return paragraphs(
    `### Run \`${trigger.runId}\` of workload \`${workloadId}\`: ${stage}`,
    `Asked for by ${cell(trigger.requestedBy)}: ${cell(trigger.reason)}`,
    facts.failure ? `**${cell(facts.failure)}**` : '',
    reached < 0 ? '' : steps.join('\n'),
    facts.reports.length > 0 ? leaderboard(facts.reports) : '',
    facts.verdict ? `**Verdict: ${facts.verdict.outcome}.** ${cell(facts.verdict.reason)}` : '',
    facts.remark ?? '',
    facts.gateWorkflowId ? `A person decides in workflow \`${facts.gateWorkflowId}\`.` : '',
    reached >= 0 && stage !== 'done'
      ? code(
          flywheelCommand(`watch ${shellWord(trigger.runId)}`, facts.plan),
          flywheelCommand(`cancel ${shellWord(trigger.runId)}`, facts.plan),
          temporalCommand(`workflow cancel --workflow-id ${shellWord(flywheelId(workloadId))}`, facts.plan),
        )
      : '',
  );
}

function stepFact(step: string, { snapshot, dataset, plan, reports }: RunFacts): string {
  if (step === 'snapshot' && snapshot) return `: ${snapshot.records} records`;
  if (step === 'curation' && dataset) {
    const { train, validation, eval: evaluation } = dataset.splits;
    return `: train ${train}, validation ${validation}, eval ${evaluation}, hash \`${dataset.hash.slice(0, 12)}\``;
  }
  if (step === 'experiments' && plan) return `: ${reports.length} of ${plan.experiments.length} ended`;
  return '';
}

function mark(index: number, reached: number): string {
  if (index < reached) return '✔';
  return index === reached ? '▶' : '·';
}

interface MeasuredSoFar {
  readonly serving: ServingSpec | null;
  readonly evaluation: EvaluationSummary | null;
  readonly safety: SafetyReport | null;
}

export function experimentDetails(
  { spec, runId, datasetId }: ExperimentInput,
  stage: ExperimentStage,
  { serving, evaluation, safety }: MeasuredSoFar,
): string {
  const name = spec.role === 'champion' ? 'champion' : `${spec.candidate.name} × ${spec.strategy}`;
  return paragraphs(
    `### ${name}: ${stage}`,
    `Run \`${runId}\`, dataset \`${datasetId}\`, base model \`${spec.candidate.model}\`.`,
    stage === 'training'
      ? `Trains on pool \`${spec.candidate.gpuPool}\`; the pending activity’s heartbeat shows job and step.`
      : '',
    serving ? `Served as \`${serving.model}\` by \`${serving.provider}\`.` : '',
    evaluation
      ? `${scores(evaluation)} over ${evaluation.n} items, ${evaluation.failed} without a usable answer.`
      : '',
    safety ? `Guardrails: ${safetyText(safety)}.` : '',
  );
}

export function gateDetails(
  input: GateInput,
  status: GateStatus,
  decision: Decision | null,
  rollout: StartedRollout | null,
): string {
  const { verdict, workloadId, runId } = input;
  const subject = `${verdict.winner?.candidate} × ${verdict.winner?.strategy}`;
  const heading =
    status === 'pending'
      ? `Waiting for a person: ${subject} for \`${workloadId}\`?`
      : `${subject} for \`${workloadId}\`: ${status}`;
  return paragraphs(
    `### ${heading}`,
    `**Verdict: ${verdict.outcome}.** ${cell(verdict.reason)}`,
    leaderboard(input.leaderboard),
    input.remark ?? '',
    input.approvers ? `May decide: ${cell(input.approvers.join(', '))}.` : '',
    `Run \`${runId}\`, evidence \`${input.digest}\`.`,
    decision
      ? `${decision.outcome} by ${cell(decision.actor)}${decision.override ? ' **with override**' : ''}: ${cell(decision.reason)}`
      : '',
    rollout ? `The route is moved by \`${rollout.workflowId}\`.` : '',
    status === 'pending' ? howToDecide(input) : '',
  );
}

export function retirementDetails(
  workloadId: string,
  until: number | null,
  removed: readonly string[],
): string {
  return paragraphs(
    until === null
      ? `### What the route of \`${workloadId}\` left is given back`
      : `### What the route of \`${workloadId}\` left stays deployed until ${new Date(until).toISOString()}`,
    removed.length > 0 ? `Taken off: ${cell(removed.join(', '))}.` : '',
  );
}

function howToDecide(input: GateInput): string {
  const { runId, digest, verdict, expiresAt } = input;
  const override = verdict.outcome === 'promote' ? '' : ' --override';
  const signal = { digest, actor: 'YOUR NAME', reason: 'WHY', ...(override ? { override: true } : {}) };
  const update = { outcome: 'approve', ...signal };
  const rejection = { digest, actor: 'YOUR NAME', reason: 'WHY' };
  const target = `--workflow-id ${shellWord(gateId(runId))}`;
  return paragraphs(
    `Without an answer by ${expiresAt} it stays as it is.${override ? ' The verdict advises against it: approving needs an override.' : ''}`,
    code(
      flywheelCommand(`approve ${shellWord(runId)}${override} --reason "WHY"`, input),
      flywheelCommand(`reject ${shellWord(runId)} --reason "WHY"`, input),
      '',
      temporalCommand(`workflow update execute ${target} --name decide --input ${json(update)}`, input),
      temporalCommand(`workflow signal ${target} --name approve --input ${json(signal)}`, input),
      temporalCommand(`workflow signal ${target} --name reject --input ${json(rejection)}`, input),
    ),
  );
}

export function rolloutDetails(
  input: RolloutInput,
  stage: string,
  route: Route | null,
  detail: string | null,
): string {
  return paragraphs(
    `### ${input.kind} of \`${input.workloadId}\`: ${stage}`,
    `By ${cell(input.actor)}: ${cell(input.reason)}`,
    route ? `Route ${route.version}: ${route.serving ? `\`${route.serving.model}\`` : 'the original'}` : '',
    detail ? cell(detail) : '',
    stage === 'moved' && input.kind === 'promotion'
      ? code(flywheelCommand(`rollback ${shellWord(input.workloadId)} --reason "WHY"`, input))
      : '',
  );
}

export function sweepDetails({ cadence, scheduleId }: SweepInput, reports: readonly SweepReport[]): string {
  const lines = reports.map(
    ({ workloadId, outcome, reason, runId }) =>
      `- ${cell(workloadId)}: **${outcome}**${runId ? ` \`${runId}\`` : ''}: ${cell(reason)}`,
  );
  return paragraphs(`### ${cadence} sweep of schedule \`${scheduleId}\``, lines.join('\n'));
}

/** The best first; champions in italics, failures with their reason. */
function leaderboard(reports: readonly ExperimentReport[]): string {
  const metrics = [
    ...new Set(reports.flatMap((report) => Object.keys(report.evaluation?.metrics ?? {}))),
  ].slice(0, 3);
  const primary = metrics[0] ?? '';
  const rows = [...reports]
    .sort((a, b) => (b.evaluation?.metrics[primary] ?? -1) - (a.evaluation?.metrics[primary] ?? -1))
    .map((report) => {
      const name = report.role === 'champion' ? '*champion*' : `${report.candidate} × ${report.strategy}`;
      const values = metrics.map((metric) => percent(report.evaluation?.metrics[metric]));
      const outcome = report.failure
        ? `failed: ${cell(report.failure.reason)}`
        : `${report.evaluation?.n ?? 0} items, ${report.evaluation?.failed ?? 0} failed${judgedBy(report)}${guardedBy(report)}`;
      return `| ${[name, ...values, outcome].join(' | ')} |`;
    });
  return [
    `| ${['experiment', ...metrics, ''].join(' | ')} |`,
    `|${' --- |'.repeat(metrics.length + 2)}`,
    ...rows,
  ].join('\n');
}

/** The judge's advice. */
function judgedBy({ evaluation }: ExperimentReport): string {
  const judge = evaluation?.judge;
  if (!judge) return '';
  return `, judge ${percent(judge.score ?? undefined) || 'none'}${judge.failed > 0 ? ` (${judge.failed} unjudged)` : ''}`;
}

/** How its answers to the safety set fared. */
function guardedBy({ safety }: ExperimentReport): string {
  return safety ? `, safety ${safetyText(safety)}` : '';
}

function safetyText(safety: SafetyReport): string {
  return safety.status === 'checked' ? cell(describeSafety(safety)) : `unknown: ${cell(safety.reason)}`;
}

function scores(evaluation: EvaluationSummary): string {
  return Object.entries(evaluation.metrics)
    .map(([metric, value]) => `${metric} ${percent(value)}`)
    .join(', ');
}

function percent(share: number | undefined): string {
  return share === undefined ? '' : asPercent(share);
}

/** Text of unknown origin on one line of a table: no pipes, no breaks, not endless. */
function cell(text: string): string {
  return text.replace(/[|\r\n`<>]+/g, ' ').slice(0, 300);
}

/** What pinned the flags of the stack; a plan of before they were has none. */
type Flagged = { readonly flags?: CommandFlags } | undefined;

function flywheelCommand(command: string, pinned: Flagged): string {
  return `npx flywheel ${command}${(pinned?.flags ?? noFlags).flywheel}`;
}

function temporalCommand(command: string, pinned: Flagged): string {
  return `temporal ${command}${(pinned?.flags ?? noFlags).temporal}`;
}

function json(value: object): string {
  return shellWord(JSON.stringify(value));
}

function code(...lines: string[]): string {
  return ['```', ...lines, '```'].join('\n');
}

function paragraphs(...parts: string[]): string {
  return parts.filter(Boolean).join('\n\n');
}
