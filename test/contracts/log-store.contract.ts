import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogStore } from '../../activities/ports/log-store.ts';
import type { LogRecord, StoredRecord } from '../../domain/records/record.ts';
import { aRecord, manyRecords } from '../support/records.ts';

export interface LogStoreSetup {
  readonly store: LogStore;
  /**
   * Starts a write that has its place in time now and becomes visible only when the returned function is
   * called: the slowest writer that the store allows.
   */
  beginSlowAppend(records: readonly LogRecord[]): Promise<() => Promise<void>>;
  /** Stores a record under a time of the past: what a write looks like that hung for very long. */
  appendLate(record: LogRecord, ingestedAt: string): Promise<void>;
  close(): Promise<void>;
}

/** What every log store does. `setup` makes an empty one. */
export function describeLogStore(name: string, setup: () => Promise<LogStoreSetup>): void {
  describe(`${name} as a log store`, () => {
    let current: LogStoreSetup | null = null;
    let store: LogStore;

    beforeEach(async () => {
      await current?.close();
      current = await setup();
      store = current.store;
    });
    afterAll(async () => current?.close());

    it('keeps every field of a record, verbatim', async () => {
      const record = awkwardRecord();

      await store.append([record]);

      const [kept] = await store.get([record.id]);
      const { ingestedAt, ...rest } = kept as StoredRecord;
      expect(rest).toEqual(record);
      expect(JSON.stringify(rest.request)).toBe(JSON.stringify(record.request));
      expect(ingestedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$/);
    });

    it('leaves absent fields absent', async () => {
      await store.append([aRecord('plain')]);

      const [kept] = await store.get(['plain']);

      expect(kept).not.toHaveProperty('conversationId');
      expect(kept).not.toHaveProperty('model');
      expect(kept).not.toHaveProperty('latencyMs');
    });

    it('stores a record once and keeps the first', async () => {
      const first = aRecord('same', { clientId: 'first' });

      const once = await store.append([first]);
      const again = await store.append([aRecord('same', { clientId: 'second' }), aRecord('other')]);

      expect(once).toEqual({ stored: 1, duplicates: 0 });
      expect(again).toEqual({ stored: 1, duplicates: 1 });
      expect((await store.get(['same']))[0]?.clientId).toBe('first');
    });

    it('counts a record that comes twice in one batch as a duplicate', async () => {
      expect(await store.append([aRecord('a'), aRecord('a')])).toEqual({ stored: 1, duplicates: 1 });
    });

    it('takes an empty batch', async () => {
      expect(await store.append([])).toEqual({ stored: 0, duplicates: 0 });
    });

    it('stores each record once when writers of the same records race', async () => {
      const records = manyRecords(300);

      const results = await Promise.all([
        store.append(records),
        store.append([...records].reverse()),
        store.append(records.slice(100, 200)),
      ]);

      expect(results.reduce((sum, result) => sum + result.stored, 0)).toBe(300);
      expect(results.reduce((sum, result) => sum + result.duplicates, 0)).toBe(400);
    });

    it('reads a workload in ascending order of id, in batches, without others', async () => {
      await store.append(manyRecords(2_600));
      await store.append([
        aRecord('zz_last'),
        aRecord('A_first'),
        aRecord('elsewhere', { workloadId: 'it' }),
      ]);

      const batches = await collect(store, 'hr', await store.snapshotBound());
      const ids = batches.flat().map((record) => record.id);

      expect(ids).toHaveLength(2_602);
      expect(ids).toEqual([...ids].sort());
      expect(ids.at(0)).toBe('A_first');
      expect(batches.length).toBeGreaterThan(1);
    });

    it('reads nothing of an unknown workload', async () => {
      expect(await collect(store, 'nobody', await store.snapshotBound())).toEqual([]);
    });

    it('reads what was stored before the bound and nothing that came later', async () => {
      await store.append([aRecord('before')]);
      const bound = await store.snapshotBound();
      await store.append([aRecord('after')]);

      expect(await idsBelow(store, bound)).toEqual(['before']);
      expect(await idsBelow(store, await store.snapshotBound())).toEqual(['after', 'before']);
    });

    it('never lets a slow writer appear below a bound that was given out', async () => {
      await store.append([aRecord('early')]);
      const finish = await setupOf(current).beginSlowAppend([aRecord('slow')]);
      await store.append([aRecord('quick')]);

      const bound = await store.snapshotBound();
      const before = await idsBelow(store, bound);
      await finish();
      const after = await idsBelow(store, bound);

      expect(before).toContain('early');
      expect(after).toEqual(before);
      expect(await idsBelow(store, await store.snapshotBound())).toEqual(['early', 'quick', 'slow']);
    });

    it('gives out bounds below which nothing appears while many writers write', async () => {
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let i = 0; i < 25; i++)
          await store.append([aRecord(`${writer}-${i}`), aRecord(`${writer}-${i}b`)]);
      });
      const seen: { bound: string; ids: readonly string[] }[] = [];
      for (let i = 0; i < 20; i++) {
        const bound = await store.snapshotBound();
        seen.push({ bound, ids: await idsBelow(store, bound) });
      }
      await Promise.all(writers);

      for (const { bound, ids } of seen) expect(await idsBelow(store, bound)).toEqual(ids);
      expect(await idsBelow(store, await store.snapshotBound())).toHaveLength(200);
    });

    it('reads the ids alone as it reads the records', async () => {
      await store.append(manyRecords(2_600));
      const bound = await store.snapshotBound();
      await store.append([aRecord('after'), aRecord('elsewhere', { workloadId: 'it' })]);

      const ids: string[] = [];
      for await (const batch of store.readIds('hr', bound)) ids.push(...batch);

      expect(ids).toEqual(await idsBelow(store, bound));
      expect(ids).toHaveLength(2_600);
    });

    it('reads strictly below the bound', async () => {
      const bound = await store.snapshotBound();
      await setupOf(current).appendLate(aRecord('at'), bound);
      await setupOf(current).appendLate(aRecord('below'), '2026-01-01T00:00:00.000Z');

      expect(await idsBelow(store, bound)).toEqual(['below']);
    });

    it('counts what came in since a bound', async () => {
      await store.append([aRecord('a'), aRecord('b'), aRecord('c', { workloadId: 'it' })]);
      const bound = await store.snapshotBound();
      await store.append([aRecord('d')]);

      expect(await store.countSince('hr', bound)).toBe(1);
      expect(await store.countSince('hr', null)).toBe(3);
      expect(await store.countSince('nobody', null)).toBe(0);
    });

    it('gives back what it read of a reader who stops early', async () => {
      await store.append(manyRecords(1_200));

      for await (const batch of store.read('hr', await store.snapshotBound())) {
        expect(batch.length).toBeLessThan(1_200);
        break;
      }

      await expect(store.ping()).resolves.toBeUndefined();
    });

    it('gives records by id and leaves out unknown ids', async () => {
      await store.append([aRecord('a'), aRecord('b')]);

      expect((await store.get(['b', 'x', 'a'])).map((record) => record.id)).toEqual(['a', 'b']);
      expect(await store.get([])).toEqual([]);
    });

    it('sums up its workloads', async () => {
      await store.append([
        aRecord('1', { timestamp: '2026-01-01T00:00:00.000Z' }),
        aRecord('2', { timestamp: '2026-03-01T00:00:00.000Z', clientId: 'c2' }),
        aRecord('3', { workloadId: 'it' }),
      ]);

      expect(await store.workloads()).toEqual([
        {
          workloadId: 'hr',
          records: 2,
          clients: 2,
          firstTimestamp: '2026-01-01T00:00:00.000Z',
          lastTimestamp: '2026-03-01T00:00:00.000Z',
        },
        {
          workloadId: 'it',
          records: 1,
          clients: 1,
          firstTimestamp: '2026-01-02T03:04:05.678Z',
          lastTimestamp: '2026-01-02T03:04:05.678Z',
        },
      ]);
    });

    it('answers a ping', async () => {
      await expect(store.ping()).resolves.toBeUndefined();
    });
  });
}

function setupOf(current: LogStoreSetup | null): LogStoreSetup {
  if (!current) throw new Error('the contract was not set up');
  return current;
}

async function collect(
  store: LogStore,
  workloadId: string,
  bound: string,
): Promise<(readonly StoredRecord[])[]> {
  const batches: (readonly StoredRecord[])[] = [];
  for await (const batch of store.read(workloadId, bound)) batches.push(batch);
  return batches;
}

async function idsBelow(store: LogStore, bound: string): Promise<string[]> {
  return (await collect(store, 'hr', bound)).flat().map((record) => record.id);
}

/** Everything that a store likes to trip over. */
function awkwardRecord(): LogRecord {
  return aRecord('awkward "id", {with} \\ and ü', {
    conversationId: 'NULL',
    model: 'big-2026-01-01',
    latencyMs: 12.5,
    responseSource: 'gold',
    request: {
      zeta: 1,
      alpha: { nested: [null, true, 1e21, 0.1, 12345678901234567000] },
      messages: [{ role: 'user', content: 'NUL \u0000, line\u2028ends\r\n, "quotes", 🙂, lone \ud83d' }],
      dup: '',
    },
    response: { choices: [] },
    extra: { consent: true, tags: ['a', 'b'], 'strange key "': {} },
  });
}
