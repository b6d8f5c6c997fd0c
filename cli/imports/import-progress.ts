import type { Output } from '../output.ts';
import { count, total } from '../render/format.ts';
import type { ImportProgress } from './import-records.ts';

const barWidth = 24;
/** In a pipe a line now and then is enough. */
const lineEveryMs = 5_000;

/** A bar on a terminal, a line every few seconds elsewhere; always on stderr. */
export function createImportProgress(out: Output): { update(progress: ImportProgress): void; done(): void } {
  let toldAt = Date.now();
  let drawn = false;
  return {
    update({ counts, share }) {
      const text = `${count(counts.read)} rows, ${count(counts.stored)} stored, ${count(counts.duplicates)} duplicates, ${count(total(counts.rejected))} rejected`;
      if (out.stderrIsTTY) {
        drawn = true;
        out.transient(`${bar(share)}${text}`);
      } else if (Date.now() - toldAt >= lineEveryMs) {
        toldAt = Date.now();
        out.note(text);
      }
    },
    done() {
      if (drawn) out.transient('');
    },
  };
}

function bar(share: number | null): string {
  if (share === null) return '';
  const filled = Math.round(Math.min(1, share) * barWidth);
  return `[${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}] ${Math.round(share * 100)} %  `;
}
