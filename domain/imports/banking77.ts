import type { CsvRow } from './csv.ts';
import { readCsv } from './csv.ts';
import { goldRecord, labelTools, routingMessages, toolName } from './gold.ts';
import type { Importer, ImportSource } from './importer.ts';

const columns = ['text', 'category'];
const splits = ['train.csv', 'test.csv'];

/**
 * Banking77 (Casanueva et al. 2020): bank customers' questions with one of 77 gold intents, which are the tools
 * of every request. Intents found only in the other split's file, where it lies beside, are offered too, so
 * that train and test offer the same list.
 */
export const banking77: Importer = {
  description: 'Banking77 train.csv or test.csv (text,category); the 77 categories are the tools',
  example: 'train.csv --format banking77 --workload bank --client c1',

  async *read(source, options) {
    const rows = readCsv(await source.text(), columns, 'train.csv or test.csv of Banking77');
    const tools = labelTools([...rows, ...(await otherRows(source))].flatMap(labelOf));
    const split = source.name.replace(/\.csv$/, '');
    for (const row of rows) {
      const { line, cells } = row;
      const [intent] = labelOf(row);
      if (intent === undefined) {
        yield { line, reason: 'no_answer', detail: 'The row has no category.' };
        continue;
      }
      const messages = routingMessages(cells.text ?? '');
      const calls = [{ name: intent, arguments: {} }];
      const dataset = { name: 'banking77', split, intent };
      yield goldRecord({ line, messages, tools, calls, dataset }, options);
    }
  },
};

function labelOf({ cells }: CsvRow): string[] {
  // One of the 77 is written "reverted_card_payment?", which no function may be called.
  const name = toolName(cells.category ?? '');
  return name === '' ? [] : [name];
}

async function otherRows(source: ImportSource): Promise<CsvRow[]> {
  const other = splits.find((name) => name !== source.name);
  if (other === undefined || !splits.includes(source.name)) return [];
  const text = await source.sibling(other);
  return text === null ? [] : readCsv(text, columns, `${other} of Banking77`);
}
