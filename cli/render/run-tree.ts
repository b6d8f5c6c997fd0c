import type { RunView } from '../../activities/ports/run-lineage.ts';
import { provenance } from '../../domain/records/provenance.ts';
import type { Style } from '../output.ts';
import { seconds } from './format.ts';
import { type RowMark, type RunRow, runRows } from './run-rows.ts';

const symbols: Readonly<Record<RowMark, string>> = { waiting: '·', running: '▸', done: '✓', failed: '✗' };

/** The live picture of a run; `columns` cuts long lines, because a wrapped line cannot be redrawn. */
export function runTree(run: RunView, style: Style, options: { columns: number; now: Date }): string {
  const rows = runRows(run);
  const width = Math.max(...rows.map((row) => row.label.length + row.depth * 3));
  const lines = rows.map((row, index) =>
    drawRow(row, { rows, index, width, style, columns: options.columns }),
  );
  const remark = provenance(run);
  return [
    header(run, style, options.now),
    ...lines,
    ...(remark ? [style.dim(cut(remark, options.columns))] : []),
  ].join('\n');
}

function header(run: RunView, style: Style, now: Date): string {
  const until = run.endedAt === null ? now : new Date(run.endedAt);
  const elapsed = Math.max(0, (until.getTime() - Date.parse(run.startedAt)) / 1000);
  return `${style.bold(run.runId)} · ${run.workload} · ${run.status} · ${seconds(elapsed)}`;
}

interface Place {
  readonly rows: readonly RunRow[];
  readonly index: number;
  readonly width: number;
  readonly style: Style;
  readonly columns: number;
}

function drawRow(row: RunRow, { rows, index, width, style, columns }: Place): string {
  const last = !rows.slice(index + 1).some((other) => other.depth <= row.depth && other.depth === row.depth);
  const lastInBranch = rows[index + 1]?.depth !== row.depth && (row.depth === 1 || last);
  const branch = lastInBranch ? '└─ ' : '├─ ';
  const indent = row.depth === 1 ? '│  ' : '';
  const label = row.label.padEnd(width - row.depth * 3);
  const text = [row.state, row.progress].filter((part) => part !== '').join('  ');
  const room = columns - (indent.length + branch.length + 2 + label.length + 2);
  const color = row.mark === 'failed' ? style.red : row.mark === 'done' ? style.green : style.cyan;
  return `${style.dim(indent + branch)}${color(symbols[row.mark])} ${label}  ${cut(text, Math.max(20, room))}`;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
