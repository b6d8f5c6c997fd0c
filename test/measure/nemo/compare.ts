import type { Strategy } from '../../../domain/experiments/experiment.ts';
import type { Training } from './adapter-bytes.ts';
import { type Answers, agreement } from './answers.ts';
import type { RemoteJob } from './jobs.ts';
import type { Turn } from './turn.ts';

/** All that is known of one provider's run. */
export interface Measured extends Turn {
  /** At the provider, when the run had ended. */
  readonly trainings: readonly RemoteJob[];
  /** null where Flywheel asks and scores by itself. */
  readonly evaluations: readonly RemoteJob[] | null;
  readonly modelServerTrainings: readonly Training[];
  readonly answers: Readonly<Partial<Record<Strategy, readonly (readonly [string, string])[]>>>;
}

/** What has to hold of a run, whoever trained; each broken one as a sentence. */
export function problemsOf(name: string, measured: Measured, killed: boolean): string[] {
  const { view, kills, trainings, evaluations, modelServerTrainings } = measured;
  const told: string[] = [];
  const expected = (holds: boolean, sentence: string) => void (holds || told.push(`${name}: ${sentence}`));
  expected(view.status === 'completed', `the run is ${view.status}: ${view.failure ?? ''}`);
  expected(trainings.length === 1, `${trainings.length} training jobs at the provider, not 1`);
  expected(modelServerTrainings.length === 1, `${modelServerTrainings.length} trainings were made, not 1`);
  for (const { strategy, status, n } of view.experiments) {
    expected(status === 'succeeded', `${strategy} is ${status}`);
    expected(n === view.dataset?.splits.eval, `${strategy} has ${n} of ${view.dataset?.splits.eval} items`);
  }
  const perExperiment = countBy(evaluations ?? [], ({ of }) => of);
  expected(
    evaluations === null || perExperiment.size === view.experiments.length,
    `evaluation jobs of ${perExperiment.size} experiments, not of ${view.experiments.length}`,
  );
  for (const [of, count] of perExperiment) expected(count === 1, `${count} evaluation jobs of ${of}, not 1`);
  const stages = kills.map(({ stage }) => stage).join(', ');
  expected(!killed || stages === 'training, evaluating', `killed in: ${stages || 'nothing'}`);
  return told;
}

/** What has to be the same as in the model server's run, of the same rows and seed. */
export function differences(name: string, measured: Measured, reference: Measured): string[] {
  const { view } = measured;
  const one = view.dataset?.hash;
  const other = reference.view.dataset?.hash;
  return [
    ...(one === other ? [] : [`${name}: dataset ${one}, where the model server's run had ${other}`]),
    ...(view.verdict?.outcome === reference.view.verdict?.outcome
      ? []
      : [
          `${name}: verdict ${view.verdict?.outcome}, where the model server's run had ${reference.view.verdict?.outcome}`,
        ]),
  ];
}

export interface Row {
  readonly provider: string;
  readonly dataset: string;
  readonly verdict: string;
  readonly scores: Readonly<Record<string, number>>;
  readonly sameAnswers: Readonly<Record<string, string>>;
  /** First twelve digits of the sha256 of the adapter's weights. */
  readonly weights: string;
  readonly trainings: number;
  readonly evaluations: number | null;
  readonly kills: readonly string[];
  readonly trainSeconds: number | null;
  readonly runSeconds: number;
  readonly meanLoad: number | null;
}

/** A run beside the one that it should equal. */
export function toRow(name: string, measured: Measured, reference: Measured): Row {
  const { view, kills, trainings, evaluations, modelServerTrainings, meanLoad } = measured;
  const metric = view.primaryMetric ?? 'call_accuracy';
  const [training] = modelServerTrainings;
  return {
    provider: name,
    dataset: view.dataset?.hash ?? '',
    verdict: view.verdict?.outcome ?? view.status,
    scores: Object.fromEntries(
      view.experiments.map(({ strategy, metrics }) => [strategy, metrics[metric] ?? Number.NaN]),
    ),
    sameAnswers: Object.fromEntries(
      view.experiments.map(({ strategy }) => [strategy, agreementText(measured, reference, strategy)]),
    ),
    weights: training?.weights.slice(0, 12) ?? '',
    trainings: trainings.length,
    evaluations: evaluations?.length ?? null,
    kills: kills.map(({ stage, downSeconds }) => `${stage} (${downSeconds.toFixed(0)} s down)`),
    trainSeconds: training?.trainSeconds ?? null,
    runSeconds: seconds(view.startedAt, view.endedAt),
    meanLoad,
  };
}

function agreementText(measured: Measured, reference: Measured, strategy: Strategy): string {
  const { same, of } = agreement(answersIn(measured, strategy), answersIn(reference, strategy));
  return of === 0 ? '–' : `${same} of ${of}`;
}

function answersIn({ answers }: Measured, strategy: Strategy): Answers {
  return new Map(answers[strategy] ?? []);
}

function seconds(from: string, to: string | null): number {
  return to === null ? Number.NaN : (Date.parse(to) - Date.parse(from)) / 1000;
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
