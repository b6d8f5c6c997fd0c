import type { RunView } from '../../activities/ports/run-lineage.ts';
import { runRows } from './run-rows.ts';

/** Rows that only count on are told at most this often. */
const progressEveryMs = 5_000;

interface Told {
  readonly state: string;
  readonly progress: string;
  readonly at: number;
}

/**
 * Turns successive views of a run into lines for a pipe: one per change, progress every few seconds.
 * Keeps what it has told.
 */
export function createChangeLog(): (run: RunView, now: Date) => readonly string[] {
  const told = new Map<string, Told>();
  return (run, now) => {
    const lines: string[] = [];
    for (const row of runRows(run)) {
      if (row.mark === 'waiting') continue;
      const before = told.get(row.key);
      const state = `${row.mark} ${row.state}`;
      const moved = before?.state !== state;
      const further =
        before?.progress !== row.progress && now.getTime() - (before?.at ?? 0) >= progressEveryMs;
      if (!moved && !further) continue;
      told.set(row.key, { state, progress: row.progress, at: now.getTime() });
      lines.push(toLine(now, row.label, row.mark, [row.state, row.progress]));
    }
    const status = told.get('run')?.state;
    if (status !== run.status) {
      told.set('run', { state: run.status, progress: '', at: now.getTime() });
      lines.push(toLine(now, run.runId, run.status, [run.failure ?? '']));
    }
    return lines;
  };
}

function toLine(now: Date, label: string, mark: string, parts: readonly string[]): string {
  const said = parts.filter((part) => part !== '').join('  ');
  return `${now.toISOString().slice(11, 19)}  ${label}  ${mark}${said === '' ? '' : `  ${said}`}`;
}
