import type { StoredFeedback } from '../../domain/feedback/feedback.ts';
import { moment } from './format.ts';
import { table } from './table.ts';

const widest = 48;

/** One piece per line; long texts are cut, `--json` has them whole. */
export function feedbackTable(pieces: readonly StoredFeedback[]): string {
  return table(
    ['given', 'kind', 'value', 'on', 'workload', 'author', 'comment'],
    pieces.map((piece) => [
      moment(piece.givenAt ?? piece.storedAt),
      piece.name === null ? piece.kind : `${piece.kind} ${piece.name}`,
      piece.value === null ? '–' : cut(said(piece)),
      piece.recordId ?? `conversation ${piece.conversationId}`,
      piece.workloadId ?? '–',
      piece.author ?? '–',
      cut(piece.comment ?? ''),
    ]),
  );
}

/** The words of a corrected answer rather than its message. */
function said({ kind, value }: StoredFeedback): string {
  if (kind === 'correction' && typeof value === 'object' && value !== null && 'content' in value)
    if (typeof value['content'] === 'string') return value['content'];
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > widest ? `${line.slice(0, widest - 1)}…` : line;
}
