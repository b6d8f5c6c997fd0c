import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import type { SplitName } from '../../domain/datasets/dataset.ts';
import { datasetId } from '../../domain/ids.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { SweepReport } from '../../domain/schedules/sweep.ts';
import { weekdays } from '../../domain/schedules/times.ts';
import { generateHelpDesk } from '../../samples/help-desk/generate.ts';
import { openArtifactStore } from '../../wiring/open-artifact-store.ts';
import { openLogStore } from '../../wiring/open-log-store.ts';
import { eventually } from '../support/eventually.ts';
import { type Binary, flywheelBinary } from './support/binary.ts';
import { type Stack, startStack } from './support/stack.ts';

const workload = 'help-desk';
const minutes = 60_000;

/**
 * A week of one workload: real Schedules, whose times are come by `schedule trigger`; traffic between them by
 * the gateway's own door. The traffic is synthetic. The tests are its days, in order.
 */
describe('a week of schedules', () => {
  let stack: Stack;
  let flywheel: Binary;
  /** Ids of the records, by the day that they came in. */
  const sent: Record<string, string[]> = {};
  /** What each run was made of. */
  let monday: Learned;
  let tuesday: Learned;

  beforeAll(async () => {
    stack = await startStack();
    flywheel = flywheelBinary([], stack.env);
  });
  afterAll(async () => {
    await flywheel?.run('schedule', 'delete', workload);
    await stack?.stop();
  });

  it('begins with schedules as workloads.yaml says', async () => {
    sent['monday'] = await send(day('monday'));
    policy(['base', 'icl']);

    const set = await flywheel.run('schedule', 'set', workload, '--json');

    // The worker, which follows the file, may have been quicker.
    const change = expect.stringMatching(/^(created|updated)$/) as string;
    expect(set.json()).toMatchObject([
      { schedule: `daily:${workload}`, change },
      { schedule: `weekly:${workload}`, change },
    ]);
  });

  it(
    'monday: the first daily run learns all that there is',
    async () => {
      const [report] = await trigger('daily');
      monday = await learned(report);

      expect(report).toMatchObject({ outcome: 'started', newRecords: sent['monday']?.length });
      expect(monday.run).toMatchObject({
        status: 'completed',
        requestedBy: `schedule daily:${workload}`,
        snapshot: { kind: 'incremental' },
      });
      expect(monday.read).toEqual(sorted(sent['monday']));
    },
    4 * minutes,
  );

  it(
    'tuesday: the second daily run learns only what is new, though monday’s calls are sent again',
    async () => {
      // A change of the file is what the next run goes by: today it trains.
      policy(['base', 'lora']);
      const again = day('monday').slice(0, 20);
      sent['tuesday'] = await send([...day('tuesday'), ...again], { duplicates: again.length });

      const [report] = await trigger('daily');
      tuesday = await learned(report);

      expect(report).toMatchObject({ outcome: 'started', newRecords: sent['tuesday']?.length });
      expect(tuesday.run).toMatchObject({ status: 'completed', snapshot: { kind: 'incremental' } });
      expect(tuesday.read).toEqual(sorted(sent['tuesday']));
      const trained = await Promise.all(tuesday.splits.train.map((id) => stack.lineage.records.trace(id)));
      expect(trained.filter(({ adapters }) => adapters.length !== 1)).toEqual([]);
      const earlier = await Promise.all(monday.read.map((id) => stack.lineage.records.trace(id)));
      expect(earlier.flatMap(({ adapters }) => adapters)).toEqual([]);
      expect(earlier.flatMap(({ datasets }) => datasets.map(({ runId }) => runId))).not.toContain(
        tuesday.run.runId,
      );
    },
    4 * minutes,
  );

  it('wednesday: a day with little news is left out, saying so', async () => {
    policy(['base']);
    sent['wednesday'] = await send(day('wednesday').slice(0, 5));

    const [report] = await trigger('daily');
    const runs = await flywheel.run('runs', workload);

    expect(report).toMatchObject({ outcome: 'skipped', newRecords: 5, runId: null });
    expect(report?.reason).toMatch(/^5 new records since .*; 50 needed$/);
    expect(runs.stdout).toMatch(/Swept without a run[\s\S]*skipped +5 new records/);
    expect(await stack.lineage.runs.list(workload)).toHaveLength(2);
  });

  it(
    'thursday: what was left out is in the next daily run, beside its own news',
    async () => {
      sent['thursday'] = await send(day('thursday'));

      const { run, read } = await learned((await trigger('daily'))[0]);

      expect(run.status).toBe('completed');
      expect(read).toEqual(sorted(sent['wednesday'], sent['thursday']));
    },
    4 * minutes,
  );

  it(
    'sunday: the weekly run reads the whole window, and takes no news from the daily one',
    async () => {
      sent['sunday'] = await send(day('sunday').slice(0, 3));

      const [report] = await trigger('weekly');
      const { run, read } = await learned(report);
      const [after] = await trigger('daily');

      expect(report).toMatchObject({
        outcome: 'started',
        reason: expect.stringMatching(/^weekly, over all/),
      });
      expect(run).toMatchObject({ status: 'completed', snapshot: { kind: 'deep' } });
      expect(read).toEqual(sorted(...Object.values(sent)));
      expect(after).toMatchObject({ outcome: 'skipped', newRecords: 3 });
    },
    4 * minutes,
  );

  /** Times that will not come while the test runs: it triggers them itself. */
  function policy(strategies: readonly string[]): void {
    const now = new Date();
    const time = `${String((now.getUTCHours() + 12) % 24).padStart(2, '0')}:00`;
    const weekday = weekdays[(now.getUTCDay() + 3) % 7];
    const schedule = `{ daily: "${time}", weekly: ${weekday} ${time}, timezone: UTC }`;
    const entry = `{ threshold: 0.01, candidates: [nano], strategies: [${strategies.join(', ')}], schedule: ${schedule} }`;
    writeFileSync(stack.config.policiesFile.path, `workloads: { ${workload}: ${entry} }\n`);
  }

  /** Hands the calls to the gateway, and waits until the log store has them. Returns the new ones' ids. */
  async function send(records: readonly JsonObject[], { duplicates = 0 } = {}): Promise<string[]> {
    const reply = await fetch(`${stack.config.gateway.url}/v1/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ records }),
    });
    const { results } = (await reply.json()) as { results: { status: string; id: string }[] };
    const ids = results.filter(({ status }) => status === 'accepted').map(({ id }) => id);
    expect(results.filter(({ status }) => status === 'duplicate')).toHaveLength(duplicates);
    expect(ids).toHaveLength(records.length - duplicates);
    const store = openLogStore(stack.config);
    try {
      await eventually(async () => expect(await store.get(ids)).toHaveLength(ids.length));
    } finally {
      await store.close();
    }
    return ids;
  }

  async function trigger(cadence: 'daily' | 'weekly'): Promise<SweepReport[]> {
    const ran = await flywheel.run('schedule', 'trigger', `${cadence}:${workload}`, '--json');
    expect(ran.stderr).toBe('');
    return (ran.json() as { reports: SweepReport[] }).reports;
  }

  /** What the run that a sweep began was made of, when it is over. */
  async function learned(report: SweepReport | undefined): Promise<Learned> {
    const run = await eventually(async () => {
      const view = await stack.lineage.runs.view(report?.runId ?? '');
      expect(view.status).not.toBe('running');
      return view;
    }, 3 * minutes);
    const { files } = await stack.lineage.datasets.get(datasetId(run.runId));
    const manifest = JSON.parse(
      await openArtifactStore(stack.config).readText(files.manifest.uri),
    ) as Manifest;
    const { train, validation, eval: evaluated } = manifest.splits;
    const splits = { train: train.recordIds, validation: validation.recordIds, eval: evaluated.recordIds };
    const dropped = manifest.droppedRecords.map(({ recordId }) => recordId);
    return { run, splits, read: sorted(splits.train, splits.validation, splits.eval, dropped) };
  }
});

interface Learned {
  readonly run: RunView;
  readonly splits: Readonly<Record<SplitName, readonly string[]>>;
  /** Every record that the dataset is made of, the dropped ones with it. */
  readonly read: readonly string[];
}

interface Manifest {
  readonly splits: Readonly<Record<SplitName, { readonly recordIds: readonly string[] }>>;
  readonly droppedRecords: readonly { readonly recordId: string }[];
}

/** A day's calls: the same ones whenever they are asked for. */
function day(name: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'sunday'): JsonObject[] {
  const date = { monday: 5, tuesday: 6, wednesday: 7, thursday: 8, sunday: 11 }[name];
  const start = `2026-01-${String(date).padStart(2, '0')}T08:00:00.000Z`;
  return generateHelpDesk({ seed: date, records: 90, start }).map((row) => ({
    ...row,
    workload_id: workload,
  }));
}

function sorted(...lists: readonly (readonly string[] | undefined)[]): string[] {
  return lists.flatMap((list) => list ?? []).sort();
}
