import type { LineageTrace } from '../../activities/ports/route-lineage.ts';
import type { Style } from '../output.ts';
import { count, moment, tally, total } from './format.ts';

/** The chain from a route to its records, one step per line; ids in full where they can be followed. */
export function traceText(trace: LineageTrace, style: Style): string {
  const { route, approval, run, experiment, adapter, dataset, records } = trace;
  if (route === null)
    return `${trace.workload} is served by the original: no approval has moved its traffic, so there is nothing to trace.`;
  const steps: (readonly [string, string])[] = [
    ['route', `version ${route.version} → ${style.bold(route.model)}, since ${moment(route.since)}`],
  ];
  if (approval)
    steps.push([
      'approval',
      `by ${approval.actor}, ${moment(approval.at)}${approval.override ? ', overriding the verdict' : ''}: ${approval.reason}`,
    ]);
  if (run) steps.push(['run', `${run.runId}, verdict ${run.verdict ?? 'none'}`]);
  if (experiment)
    steps.push([
      'experiment',
      `${experiment.candidate} × ${experiment.strategy}, evaluation ${experiment.evaluationId ?? 'none'}`,
    ]);
  if (adapter) steps.push(['adapter', `${adapter.model} on ${adapter.baseModel}, job ${adapter.jobId}`]);
  if (dataset) steps.push(['dataset', `${dataset.id}, hash ${dataset.hash}, snapshot ${dataset.snapshotId}`]);
  if (dataset && total(dataset.dropped) > 0) steps.push(['left out', tally(dataset.dropped)]);
  for (const [split, ids] of Object.entries(records)) steps.push([split, recordsLine(ids)]);
  if (trace.feedback) steps.push(['feedback', `${tally(trace.feedback)} on these records`]);
  return steps
    .map(
      ([name, text], index) =>
        `${index === 0 ? '' : style.dim('  ← ')}${name.padEnd(index === 0 ? 16 : 12)}${text}`,
    )
    .join('\n');
}

function recordsLine(ids: readonly string[]): string {
  const shown = ids.slice(0, 3).join(', ');
  return `${count(ids.length)} records${ids.length === 0 ? '' : `: ${shown}${ids.length > 3 ? ', … (--json lists all)' : ''}`}`;
}
