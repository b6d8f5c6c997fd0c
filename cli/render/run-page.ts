import type { RunView } from '../../activities/ports/run-lineage.ts';
import { provenance } from '../../domain/records/provenance.ts';
import type { Hint } from '../hint.ts';
import type { Style } from '../output.ts';
import { count, experimentName, moment, tally, total } from './format.ts';
import { leaderboard } from './leaderboard.ts';
import { policyLine } from './policy.ts';
import { safetyLines } from './safety.ts';

/** A run on one screen: what it read, how the experiments did, the verdict, and what to do now. */
export function runPage(run: RunView, style: Style, hint: Hint): string {
  const remark = provenance(run);
  const sections = [
    header(run, style),
    data(run),
    ...(run.experiments.length > 0 ? [leaderboard(run, style)] : []),
    ...setAside(run),
    ...safetyLines(run),
    ...(remark ? [style.yellow(remark)] : []),
    verdict(run, style),
    ...(run.approval ? [approval(run)] : []),
    ...(run.route ? [route(run)] : []),
    nextStep(run, style, hint),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function header(run: RunView, style: Style): string {
  const ended = run.endedAt === null ? '' : `, ended ${moment(run.endedAt)}`;
  return [
    `${style.bold(`Run ${run.runId}`)}  workload ${style.bold(run.workload)}  ${run.status}`,
    `started ${moment(run.startedAt)}${ended} by ${run.requestedBy}: ${run.reason}`,
  ].join('\n');
}

function data(run: RunView): string {
  const lines: string[] = [];
  if (run.policy) lines.push(`policy    ${policyLine(run.policy)}`);
  if (run.snapshot) {
    const { id, records, kind } = run.snapshot;
    lines.push(
      `snapshot  ${id}  ${count(records)} records${kind === 'incremental' ? ', new ones only' : ''}`,
    );
  }
  if (run.dataset) {
    const { splits, dropped, hash } = run.dataset;
    lines.push(
      `dataset   ${hash.slice(0, 12)}  train ${count(splits.train)}, validation ${count(splits.validation)}, eval ${count(splits.eval)}`,
    );
    if (total(dropped) > 0) lines.push(`dropped   ${tally(dropped)}`);
  }
  if (run.feedback) lines.push(`feedback  ${tally(run.feedback)} on these records`);
  return lines.join('\n');
}

/** What an experiment was not trained on: a line each. */
function setAside(run: RunView): string[] {
  const lines = run.experiments.flatMap((experiment) => {
    const left = experiment.training?.setAside;
    if (!left) return [];
    const of = run.dataset ? ` of ${count(run.dataset.splits.train)}` : '';
    const more = left.validation > 0 ? `, and ${count(left.validation)} of validation` : '';
    return `${experimentName(experiment)} was trained without ${count(left.train)}${of} records${more}: ${tally(left.reasons)}`;
  });
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function verdict(run: RunView, style: Style): string {
  if (run.verdict === null)
    return run.status === 'running'
      ? ''
      : style.red(`No verdict: the run ${run.status}. ${run.failure ?? ''}`.trim());
  const { outcome, reason } = run.verdict;
  const color = outcome === 'promote' ? style.green : style.yellow;
  return `Verdict: ${color(style.bold(outcome))}. ${reason}\ndigest ${run.digest ?? '–'}`;
}

function approval(run: RunView): string {
  const { status, actor, reason, override, at } = run.approval ?? {};
  const who = actor === undefined ? '' : ` by ${actor}${at ? `, ${moment(at)}` : ''}: ${reason ?? ''}`;
  return `Approval: ${status}${override ? ' (override of the verdict)' : ''}${who}`;
}

function route(run: RunView): string {
  if (!run.route) return '';
  const live = run.route.live ? 'serves now' : 'was replaced since';
  return `Route: version ${run.route.version} → ${run.route.model}, since ${moment(run.route.since)}, ${live}`;
}

function nextStep(run: RunView, style: Style, hint: Hint): string {
  const commands = nextCommands(run).map(hint);
  return commands.length === 0
    ? ''
    : ['Next:', ...commands.map((command) => `  ${style.cyan(command)}`)].join('\n');
}

/** The commands that make sense now, without `npx flywheel`. */
export function nextCommands(run: RunView): readonly string[] {
  if (run.status === 'running') return [`watch ${run.runId}`];
  if (run.route?.live) return [`lineage ${run.workload}`, `rollback ${run.workload} --reason "…"`];
  if (run.approval?.status === 'pending') {
    const override = run.verdict?.outcome === 'promote' ? '' : ' --override';
    return [`approve ${run.runId} --reason "…"${override}`, `reject ${run.runId} --reason "…"`];
  }
  if (run.verdict === null || run.verdict.outcome !== 'promote') return [`run ${run.workload} --wait`];
  return [];
}
