import type { RecordTrace } from '../../activities/ports/record-lineage.ts';
import { asPercent } from '../../domain/experiments/as-percent.ts';
import type { StoredFeedback } from '../../domain/feedback/feedback.ts';
import type { Style } from '../output.ts';
import { feedbackTable } from './feedback.ts';
import { moment } from './format.ts';
import { table } from './table.ts';

/**
 * What a record touched: datasets, models that learned from it, evaluations that asked it, routes that served them;
 * and what was said about it.
 */
export function recordTraceText(
  trace: RecordTrace,
  feedback: readonly StoredFeedback[],
  style: Style,
): string {
  const said = feedback.length === 0 ? '' : `\n\n${style.bold('feedback')}\n${feedbackTable(feedback)}`;
  return `${touched(trace, style)}${said}`;
}

function touched(trace: RecordTrace, style: Style): string {
  if (trace.datasets.length === 0)
    return `No dataset holds the record ${trace.recordId}: no run has read it yet, or curation left it out (a run's manifest has the reason).`;
  const sections: (readonly [string, string[], string[][]])[] = [
    [
      'datasets',
      ['dataset', 'workload', 'run', 'split', 'made'],
      trace.datasets.map((one) => [one.datasetId, one.workload, one.runId, one.split, moment(one.at)]),
    ],
    [
      'learned by',
      ['model', 'run', 'split', 'made'],
      trace.adapters.map((one) => [one.model, one.runId, one.split, moment(one.at)]),
    ],
    [
      'asked by',
      ['run', 'experiment', 'result'],
      trace.evaluations.map((one) => [one.runId, `${one.candidate} × ${one.strategy}`, resultOf(one)]),
    ],
    [
      'served by',
      ['workload', 'version', 'model', 'since', ''],
      trace.moves.map((one) => [
        one.workload,
        String(one.version),
        one.model,
        moment(one.at),
        one.current ? style.green('now') : '',
      ]),
    ],
  ];
  return sections
    .map(([title, head, rows]) => `${style.bold(title)}\n${rows.length === 0 ? '  –' : table(head, rows)}`)
    .join('\n\n');
}

function resultOf({ failure, scores }: RecordTrace['evaluations'][number]): string {
  if (failure !== null) return failure;
  const [metric, score] = Object.entries(scores)[0] ?? ['not scored', 0];
  return `${metric} ${asPercent(score)}`;
}
