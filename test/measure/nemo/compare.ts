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

interface References {
  readonly modelServer: Measured | undefined;
  /** The model server's run by the decay that the provider makes of the candidate's; the same but for Customizer v1. */
  readonly sameDecay: Measured | undefined;
}

/** What has to be the same as in the model server's runs, of the same rows and seed. */
export function differences(
  name: string,
  measured: Measured,
  { modelServer, sameDecay }: References,
): string[] {
  const told: string[] = [];
  const compare = (what: string, [one, other]: readonly [string | undefined, string | undefined]) =>
    void (one === other || told.push(`${name}: ${what} ${one}, where the model server's run has ${other}`));
  if (modelServer) {
    compare('dataset', [measured.view.dataset?.hash, modelServer.view.dataset?.hash]);
    compare('verdict', [measured.view.verdict?.outcome, modelServer.view.verdict?.outcome]);
  }
  if (sameDecay) {
    compare('weights', [weightsOf(measured), weightsOf(sameDecay)]);
    const { same, of } = agreement(answersIn(measured, 'lora'), answersIn(sameDecay, 'lora'));
    if (same < of) told.push(`${name}: ${of - same} of ${of} answers of the same weights are others`);
  }
  return told;
}

function weightsOf({ modelServerTrainings }: Measured): string | undefined {
  return modelServerTrainings[0]?.weights;
}

export interface Row {
  readonly provider: string;
  readonly dataset: string;
  readonly verdict: string;
  readonly scores: Readonly<Record<string, number>>;
  /** As the model server's run gave, by strategy. */
  readonly sameAnswers: Readonly<Record<string, string>>;
  /** Of the LoRA experiment and the model server's training by the same decay, where that is another run. */
  readonly sameDecay: string | null;
  /** First twelve digits of the sha256 of the adapter's weights. */
  readonly weights: string;
  readonly trainings: number;
  readonly evaluations: number | null;
  readonly kills: readonly string[];
  readonly trainSeconds: number | null;
  readonly runSeconds: number;
  readonly meanLoad: number | null;
}

/** A run beside those that it is compared with; what was not measured is compared with nothing. */
export function toRow(name: string, measured: Measured, { modelServer, sameDecay }: References): Row {
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
      view.experiments.map(({ strategy }) => [strategy, agreementText(measured, modelServer, strategy)]),
    ),
    sameDecay: sameDecay === modelServer ? null : agreementText(measured, sameDecay, 'lora'),
    weights: training?.weights.slice(0, 12) ?? '',
    trainings: trainings.length,
    evaluations: evaluations?.length ?? null,
    kills: kills.map(({ stage, downSeconds }) => `${stage} (${downSeconds.toFixed(0)} s down)`),
    trainSeconds: training?.trainSeconds ?? null,
    runSeconds: seconds(view.startedAt, view.endedAt),
    meanLoad,
  };
}

function agreementText(measured: Measured, reference: Measured | undefined, strategy: Strategy): string {
  if (!reference) return '–';
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
