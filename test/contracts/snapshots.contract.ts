import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createCurateDataset } from '../../activities/curate-dataset.ts';
import { createTakeSnapshot } from '../../activities/take-snapshot.ts';
import type { Config } from '../../config/config.ts';
import { type Connection, connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import type { SnapshotKind } from '../../domain/datasets/dataset.ts';
import { sha256 } from '../../domain/hash.ts';
import { snapshotId } from '../../domain/ids.ts';
import { parseRecord } from '../../domain/records/parse.ts';
import type { LogRecord, StoredRecord } from '../../domain/records/record.ts';
import { createFileArtifactStore } from '../../integrations/files/artifact-store.ts';
import { generateHelpDesk } from '../../samples/help-desk/generate.ts';
import { openLogStore } from '../../wiring/open-log-store.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { createTestDatabase, emptyDatabase, type TestDatabase } from '../support/database.ts';
import { aRun } from '../support/lineage.ts';
import { aPolicy } from '../support/policies.ts';
import { aRecord, manyRecords } from '../support/records.ts';

type LogStoreConfig = Config['logStore'];

export interface SnapshotSetup {
  readonly logStore: LogStoreConfig;
  /** An empty store again. */
  empty(): Promise<void>;
  /** Stores a record under a time of the past, as a write does that hung for very long. */
  appendLate(record: LogRecord, ingestedAt: string): Promise<void>;
}

const workloadId = 'hr';
const curation = { seed: 1, evalSize: 5, minRecords: 20, validationShare: 0.1, policy: aPolicy() };

/** Each record in exactly one daily snapshot, whatever happens meanwhile. `prepare` comes once. */
export function describeSnapshots(
  name: string,
  prepare: (database: TestDatabase) => Promise<SnapshotSetup & { close(): Promise<void> }>,
): void {
  describe(`daily snapshots of ${name}`, () => {
    let database: TestDatabase;
    let connection: Connection;
    let home: string;
    let setup: Awaited<ReturnType<typeof prepare>>;
    beforeAll(async () => {
      database = await createTestDatabase();
      connection = connect(database.url);
      home = await mkdtemp(join(tmpdir(), 'flywheel-snapshots-'));
      setup = await prepare(database);
    });
    beforeEach(async () => {
      await emptyDatabase(database.url);
      await setup.empty();
    });
    afterAll(async () => {
      await setup?.close();
      await connection.close();
      await database.drop();
      await rm(home, { recursive: true, force: true });
    });

    /** Ports and activities as a worker has them. */
    function worker() {
      const { logStore: chosen } = setup;
      const logStore = openLogStore({
        logStore: chosen,
        database: { url: database.url, embedded: false },
      });
      onTestFinished(() => logStore.close());
      const lineage = createLineage(connection.db);
      const artifacts = createFileArtifactStore(join(home, 'artifacts'));
      const { takeSnapshot } = createTakeSnapshot({ lineage, logStore, artifacts });
      const { curateDataset } = createCurateDataset({ lineage, artifacts });

      async function begin(runId: string, snapshotKind: SnapshotKind = 'incremental') {
        await lineage.runs.open(aRun(runId, { workloadId }));
        return { runId, workloadId, snapshotKind, ...curation };
      }
      async function snapshot(runId: string, kind: SnapshotKind = 'incremental'): Promise<string[]> {
        await runIn(anAttempt(), takeSnapshot, { runId, workloadId, kind });
        return idsOf(runId);
      }
      async function idsOf(runId: string): Promise<string[]> {
        const { artifact } = await lineage.datasets.openSnapshot({
          ...{ id: snapshotId(runId), runId, workloadId, bound: '' },
        });
        const ids: string[] = [];
        for await (const line of artifacts.readLines(artifact?.uri ?? ''))
          ids.push((JSON.parse(line) as StoredRecord).id);
        return ids;
      }
      /** A whole daily turn as far as its dataset. Returns the snapshot's ids. */
      async function day(runId: string, kind: SnapshotKind = 'incremental'): Promise<string[]> {
        const plan = await begin(runId, kind);
        const ids = await snapshot(runId, kind);
        await runIn(anAttempt(), curateDataset, { plan });
        return ids;
      }
      return { logStore, lineage, begin, snapshot, idsOf, day, curateDataset };
    }

    it('hold each record once while writers go on writing', async () => {
      const { logStore, day } = worker();
      await logStore.append(traffic('start', 60));
      const stopping = new AbortController();
      const written: string[] = [];
      const writers = ['a', 'b'].map(async (writer) => {
        for (let batch = 0; !stopping.signal.aborted; batch += 1) {
          const records = traffic(`${writer}-${batch}`, 20);
          await logStore.append(records);
          written.push(...records.map(({ id }) => id));
          await sleep(200);
        }
      });

      const snapshots: string[][] = [];
      try {
        for (let run = 0; run < 3; run += 1) {
          snapshots.push(await day(`run-${run}`));
          // Enough for a next day, which curation asks for.
          const enough = snapshots.flat().length + 60;
          while (written.length < enough) await sleep(20);
        }
      } finally {
        stopping.abort();
        await Promise.all(writers);
      }
      snapshots.push(await day('run-last'));

      const all = snapshots.flat();
      expect(new Set(all).size).toBe(all.length);
      expect(sorted(all)).toEqual(sorted([...traffic('start', 60).map(({ id }) => id), ...written]));
      expect(snapshots.every((ids) => ids.length > 0)).toBe(true);
    }, 180_000);

    it('hold late records, and those of the very millisecond of a bound, once', async () => {
      const { logStore, lineage, day, begin } = worker();
      await logStore.append(traffic('first', 60));
      await begin('run-1');
      // As a worker that died behind this very step would have left it.
      const bound = await logStore.snapshotBound();
      await lineage.datasets.openSnapshot({
        ...{ id: snapshotId('run-1'), runId: 'run-1', workloadId, bound, kind: 'incremental' },
      });
      await setup.appendLate(aRecord('at the bound'), bound);
      await setup.appendLate(aRecord('at the bound too'), bound);
      const first = await day('run-1');
      await setup.appendLate(aRecord('late'), '2026-01-01T00:00:00.000Z');
      await setup.appendLate(aRecord('late by a moment'), oneMillisecondBefore(bound));
      await logStore.append(traffic('second', 60));

      const second = await day('run-2');
      await logStore.append(traffic('third', 60));
      const third = await day('run-3');

      expect(first).toHaveLength(60);
      expect(second).toHaveLength(64);
      expect(second).toEqual(
        expect.arrayContaining(['at the bound', 'at the bound too', 'late', 'late by a moment']),
      );
      expect(sorted(third)).toEqual(sorted(traffic('third', 60).map(({ id }) => id)));
    });

    it('hold a record once though a worker is killed in mid-read', async () => {
      const { logStore, begin, day } = worker();
      await logStore.append([...traffic('day', 60), ...manyRecords(3_000)]);
      await begin('run-1');

      await killedInMidRead('run-1');
      await logStore.append(traffic('meanwhile', 60));
      const first = await day('run-1');
      const second = await day('run-2');

      expect(first).toHaveLength(3_060);
      expect(sorted(second)).toEqual(sorted(traffic('meanwhile', 60).map(({ id }) => id)));
    }, 180_000);

    it('leave everything for the next day when no dataset came of them', async () => {
      const { logStore, lineage, begin, snapshot, day, curateDataset } = worker();
      await logStore.append(traffic('few', 6));
      const plan = await begin('run-1');
      await snapshot('run-1');
      await expect(runIn(anAttempt(), curateDataset, { plan })).rejects.toThrow(/needed|required|at least/);
      const untouched = await lineage.datasets.watermark(workloadId);
      await logStore.append(traffic('more', 60));

      const next = await day('run-2');

      expect(untouched).toBeNull();
      expect(next).toHaveLength(66);
      expect(await lineage.datasets.watermark(workloadId)).not.toBeNull();
      expect(await logStore.countSince(workloadId, await lineage.datasets.watermark(workloadId))).toBe(0);
    });

    it('say since when nothing is new', async () => {
      const { logStore, begin, snapshot, day } = worker();
      await logStore.append(traffic('first', 60));
      await day('run-1');
      await begin('run-2');

      await expect(snapshot('run-2')).rejects.toMatchObject({
        name: 'NotEnoughRecordsError',
        message: expect.stringMatching(/no record that is new since \d{4}-.*--incremental/),
      });
    });

    it('are no business of deep ones, which hold everything and take nothing', async () => {
      const { logStore, day } = worker();
      await logStore.append(traffic('first', 60));
      const daily = await day('run-1');
      await logStore.append(traffic('second', 60));
      const deep = await day('run-2', 'deep');

      const nextDaily = await day('run-3');

      expect([daily.length, deep.length, nextDaily.length]).toEqual([60, 120, 60]);
    });

    /** A process of its own that begins to read, and is killed once it has read a part. */
    async function killedInMidRead(runId: string): Promise<void> {
      const script = join(import.meta.dirname, '..', 'support', 'snapshot-process.ts');
      const input = JSON.stringify({ ...setup.logStore, databaseUrl: database.url, runId, workloadId });
      const child = spawn(process.execPath, ['--import', 'tsx', script, input], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const line = await firstLine(child.stdout);
      expect(line).toBe('read a part');
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
    }
  });
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string | undefined> {
  for await (const line of createInterface({ input: stream })) return line;
  return undefined;
}

function traffic(prefix: string, count: number): LogRecord[] {
  // Other questions for each prefix: curation drops what is asked twice.
  const seed = Number.parseInt(sha256(prefix).slice(0, 6), 16);
  return generateHelpDesk({ seed, records: count }).flatMap((row, at) => {
    const parsed = parseRecord({ ...row, id: `${prefix}-${at}`, workload_id: workloadId });
    return parsed.ok ? [parsed.record] : [];
  });
}

function oneMillisecondBefore(bound: string): string {
  return new Date(Date.parse(bound) - 1).toISOString();
}

function sorted(ids: readonly string[]): string[] {
  return [...ids].sort();
}
