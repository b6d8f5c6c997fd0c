import Table from 'cli-table3';

const none = '';
const chars = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'])
    .map((name) => [name, none]),
);

/**
 * Columns without borders, readable in a pipe and by `awk -F'  +'`. No colours of its own. Numbers (columns
 * whose head starts with `>`) are aligned to the right.
 */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const result = new Table({
    head: heads.map((head) => head.replace(/^>/, '')),
    colAligns: heads.map((head) => (head.startsWith('>') ? 'right' : 'left')),
    chars: { ...chars, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const row of rows) result.push([...row]);
  return result
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
