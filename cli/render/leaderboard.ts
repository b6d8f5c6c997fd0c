import type { ExperimentView, RunView } from '../../activities/ports/run-lineage.ts';
import { asPercent } from '../../domain/experiments/as-percent.ts';
import type { Style } from '../output.ts';
import { experimentName, seconds } from './format.ts';
import { table } from './table.ts';

/** Experiments by their primary metric, best first; then the failed ones; the champion last. */
export function leaderboard(run: RunView, style: Style): string {
  const measured = run.experiments.find((experiment) => Object.keys(experiment.metrics).length > 0);
  const names = Object.keys(measured?.metrics ?? {});
  // The one that the verdict rests on: a policy may name another than the first.
  const metrics = names.sort((a, b) => Number(b === run.primaryMetric) - Number(a === run.primaryMetric));
  const [primary = 'score', second] = metrics;
  const judged = run.experiments.some(({ judge }) => judge !== undefined);
  const guarded = run.experiments.some(({ safety }) => safety !== undefined);
  const rows = [...run.experiments]
    .sort((a, b) => order(a) - order(b) || (b.metrics[primary] ?? -1) - (a.metrics[primary] ?? -1))
    .map((experiment) => toRow(experiment, run, { primary, second, judged, guarded, style }));
  return table(
    [
      '',
      'experiment',
      `>${primary}`,
      ...(second ? [`>${second}`] : []),
      ...(judged ? ['>judge'] : []),
      ...(guarded ? ['>safety'] : []),
      '>n',
      '>failed',
      '>p50',
      '>training',
      '',
    ],
    rows,
  );
}

function order(experiment: ExperimentView): number {
  if (experiment.role === 'champion') return 2;
  return experiment.status === 'succeeded' ? 0 : 1;
}

interface Columns {
  readonly primary: string;
  readonly second: string | undefined;
  readonly judged: boolean;
  readonly guarded: boolean;
  readonly style: Style;
}

function toRow(
  experiment: ExperimentView,
  run: RunView,
  { primary, second, judged, guarded, style }: Columns,
): string[] {
  const won =
    run.verdict?.winner === `${experiment.candidate}/${experiment.strategy}` &&
    experiment.role !== 'champion';
  const name = experimentName(experiment);
  const metric = (key: string) => {
    const value = experiment.metrics[key];
    return value === undefined ? '–' : asPercent(value);
  };
  return [
    won ? style.green(run.verdict?.outcome === 'promote' ? '★' : '☆') : ' ',
    won ? style.bold(name) : name,
    metric(primary),
    ...(second ? [metric(second)] : []),
    ...(judged ? [judgeScore(experiment)] : []),
    ...(guarded ? [safetyShare(experiment)] : []),
    experiment.n === 0 ? '–' : String(experiment.n),
    experiment.n === 0 ? '–' : String(experiment.failed),
    latency(experiment),
    experiment.trainSeconds === undefined ? '–' : seconds(experiment.trainSeconds),
    experiment.status === 'succeeded' ? '' : style.red(statusOf(experiment)),
  ];
}

function statusOf({ status, failure }: ExperimentView): string {
  return failure === undefined ? status : `${status}: ${failure}`;
}

/** Where not every answer was timed, of how many it is. */
function latency({ latencyMs }: ExperimentView): string {
  if (!latencyMs) return '–';
  const { p50, of } = latencyMs;
  return `${Math.round(p50)} ms${of === undefined ? '' : ` (of ${of})`}`;
}

/** Advisory. Answers that the judge gave no score for are shown with it: they are its failures, not the model's. */
function judgeScore({ judge }: ExperimentView): string {
  if (!judge) return '–';
  const unjudged = judge.failed > 0 ? ` (${judge.failed} unjudged)` : '';
  return judge.score === null ? `none${unjudged}` : `${asPercent(judge.score)}${unjudged}`;
}

/** Items that passed; what stopped the others stands below the table. */
function safetyShare({ safety }: ExperimentView): string {
  if (!safety) return '–';
  return safety.status === 'checked' ? `${safety.passed} of ${safety.n}` : 'unknown';
}
