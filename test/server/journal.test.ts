import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { LogStore } from '../../activities/ports/log-store.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import type { LogRecord } from '../../domain/records/record.ts';
import { Journal } from '../../server/journal/journal.ts';
import { createLog } from '../../server/log.ts';
import { eventually } from '../support/eventually.ts';
import { aRecord } from '../support/records.ts';

/** Takes what it likes; fails as often as `outages` says, each time for all that it is then sent. */
function pickyStore(refused: string): Pick<LogStore, 'append'> & { stored: string[]; outages: number } {
  const stored: string[] = [];
  return {
    ...{ stored, outages: 0 },
    async append(records) {
      if (records.some(({ id }) => id === refused)) throw new RejectedError('it cannot be held');
      if (records.length === 1 && this.outages-- > 0) throw new UnavailableError('gone for a moment');
      stored.push(...records.map(({ id }) => id));
      return { stored: records.length, duplicates: 0 };
    },
  };
}

async function setup() {
  const folder = await mkdtemp(join(tmpdir(), 'flywheel-journal-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = pickyStore('bad');
  const open = async () => {
    const journal = await Journal.open({
      ...{ folder, maxBytes: 1_000_000, logStore: store, shipEveryMs: 20 },
      redact: (record) => record,
      log: createLog(() => undefined),
    });
    onTestFinished(() => journal.close());
    return journal;
  };
  const refused = async () =>
    (await readFile(join(folder, 'refused.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { record: LogRecord }).record.id);
  return { folder, store, open, refused };
}

test('a record that the store refuses is set aside once, however often its segment is sent', async () => {
  const { store, open, refused } = await setup();
  store.outages = 3;
  const journal = await open();

  for (const id of ['one', 'bad', 'two']) journal.append(aRecord(id));
  await eventually(() => expect(journal.status()).toMatchObject({ waiting: 0 }));

  expect(store.outages).toBeLessThan(0);
  expect(new Set(store.stored)).toEqual(new Set(['one', 'two']));
  expect(await refused()).toEqual(['bad']);
  expect(journal.status()).toMatchObject({ refused: 1 });
});

test('a segment that is sent again after a crash sets nothing aside a second time', async () => {
  const { folder, open, refused } = await setup();
  // As a process leaves them that died before it removed the segment, in the middle of a line.
  const line = (id: string) => `${JSON.stringify(aRecord(id))}\n`;
  await writeFile(join(folder, '000000000001.jsonl'), line('bad') + line('three'));
  await writeFile(
    join(folder, 'refused.jsonl'),
    `${JSON.stringify({ reason: 'it cannot be held', record: aRecord('bad') })}\n{"reason":"it can`,
  );

  const journal = await open();
  await eventually(() => expect(journal.status()).toMatchObject({ waiting: 0, shipped: 1 }));

  expect(journal.status()).toMatchObject({ refused: 0 });
  await expect(refused()).rejects.toThrow(SyntaxError);
  const text = await readFile(join(folder, 'refused.jsonl'), 'utf8');
  expect(text.match(/"record"/g)).toHaveLength(1);
});
