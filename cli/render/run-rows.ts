import { type ExperimentView, type RunView, runStages } from '../../activities/ports/run-lineage.ts';
import { asPercent } from '../../domain/experiments/as-percent.ts';
import { count, experimentName, seconds, tally, total } from './format.ts';

export type RowMark = 'waiting' | 'running' | 'done' | 'failed';

/** One step or experiment of a run as `watch` shows it. */
export interface RunRow {
  readonly key: string;
  readonly depth: 0 | 1;
  readonly label: string;
  readonly mark: RowMark;
  /** Where it stands; a change is news. */
  readonly state: string;
  /** How far it is; changes often. */
  readonly progress: string;
}

/** The run as rows: its steps, and under `experiments` each experiment. */
export function runRows(run: RunView): readonly RunRow[] {
  return [
    // A snapshot has a row before it has records.
    step(run, 'snapshot', run.snapshot?.records ? `${count(run.snapshot.records)} records` : ''),
    step(run, 'curation', run.dataset ? datasetLine(run.dataset) : ''),
    step(run, 'experiments', ''),
    ...run.experiments.map((experiment) => experimentRow(experiment)),
    step(run, 'verdict', run.verdict ? `${run.verdict.outcome}: ${run.verdict.reason}` : ''),
  ];
}

/** Whether nothing more will happen in the run itself. */
export function hasEnded(run: Pick<RunView, 'status'>): boolean {
  return run.status !== 'running';
}

function step(run: RunView, stage: (typeof runStages)[number], state: string): RunRow {
  return { key: stage, depth: 0, label: stage, mark: stepMark(run, stage), state, progress: '' };
}

function stepMark(run: RunView, stage: (typeof runStages)[number]): RowMark {
  const at = runStages.indexOf(run.stage);
  const own = runStages.indexOf(stage);
  if (run.status === 'completed' || own < at) return 'done';
  if (own > at) return 'waiting';
  return run.status === 'running' ? 'running' : 'failed';
}

function datasetLine({ splits, dropped }: NonNullable<RunView['dataset']>): string {
  const parts = `train ${count(splits.train)} · validation ${count(splits.validation)} · eval ${count(splits.eval)}`;
  return total(dropped) === 0 ? parts : `${parts} · dropped: ${tally(dropped)}`;
}

function experimentRow(experiment: ExperimentView): RunRow {
  return {
    key: `${experiment.role}/${experiment.candidate}/${experiment.strategy}`,
    depth: 1,
    label: experimentName(experiment),
    mark: experimentMark(experiment),
    state: experimentState(experiment),
    progress: experimentProgress(experiment),
  };
}

function experimentMark({ status }: ExperimentView): RowMark {
  if (status === 'succeeded') return 'done';
  if (status === 'pending') return 'waiting';
  return status === 'running' ? 'running' : 'failed';
}

function experimentState(experiment: ExperimentView): string {
  const { status, stage, metrics, failed, n, trainSeconds, failure } = experiment;
  if (status === 'cancelled') return 'cancelled';
  if (status === 'failed') return `failed: ${failure ?? 'unknown reason'}`;
  if (status !== 'succeeded') return stage;
  const [metric, value] = Object.entries(metrics)[0] ?? ['no metric', Number.NaN];
  const trained = trainSeconds === undefined ? '' : ` · trained in ${seconds(trainSeconds)}`;
  const without = failed === 0 ? '' : ` · ${failed} without a usable answer`;
  return `${metric} ${asPercent(value)} of ${n}${without}${trained}${safetyState(experiment)}`;
}

function safetyState({ safety }: ExperimentView): string {
  if (!safety) return '';
  return safety.status === 'checked' ? ` · safety ${safety.passed} of ${safety.n}` : ' · safety unknown';
}

function experimentProgress({ status, stage, training, evaluated, checked }: ExperimentView): string {
  if (status !== 'running') return '';
  if (stage === 'training' && training && training.totalSteps > 0) {
    const loss = training.trainLoss === null ? '' : ` · loss ${training.trainLoss.toFixed(3)}`;
    const validation =
      training.validationLoss === null ? '' : ` · validation loss ${training.validationLoss.toFixed(3)}`;
    return `step ${training.step} of ${training.totalSteps}${loss}${validation}`;
  }
  if (stage === 'training' && !training) return 'no job yet: waits for a device, or its rows are being read';
  if (stage === 'checking' && checked) return `${checked.done} of ${checked.total} of the safety set`;
  if (stage === 'evaluating' && evaluated) return `${evaluated.done} of ${evaluated.total}`;
  return '';
}
