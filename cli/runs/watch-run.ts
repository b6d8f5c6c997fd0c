import { createLogUpdate } from 'log-update';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import type { Output } from '../output.ts';
import { createChangeLog } from '../render/run-changes.ts';
import { runTree } from '../render/run-tree.ts';

export interface RunDisplay {
  update(view: RunView): void;
  /** Leaves the last picture on the screen. */
  done(): void;
}

/** A tree redrawn in place on a terminal, one line per change elsewhere, nothing under `--json`. */
export function createRunDisplay(out: Output): RunDisplay {
  if (out.asJson) return { update: () => undefined, done: () => undefined };
  // A terminal that does not know its height would show nothing at all.
  if (!out.isTTY || process.stdout.rows === 0) {
    const changes = createChangeLog();
    return {
      update: (view) => {
        for (const line of changes(view, new Date())) out.line(line);
      },
      done: () => undefined,
    };
  }
  const draw = createLogUpdate(process.stdout);
  return {
    update: (view) => draw(runTree(view, out.style, { columns: out.columns, now: new Date() })),
    done: () => draw.done(),
  };
}
