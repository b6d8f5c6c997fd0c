import { randomUUID } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { aRecord } from '../support/records.ts';
import { client, newWorld, untilTrue, useWorkers } from '../workflows/support/bench.ts';
import { setup as setupCli } from './support/cli.ts';

type Row = {
  schedule: string;
  change?: string;
  paused?: boolean;
  note?: string | null;
  next?: string | null;
};

/** Real Schedules of a real server, that start the real sweep; its activities only remember. */
describe('flywheel schedule', () => {
  useWorkers();

  async function setup(policies = '{}', news = {}) {
    const world = newWorld(news);
    const id = world.workloadId;
    const file = join(await mkdtemp(join(tmpdir(), 'flywheel-schedule-')), 'workloads.yaml');
    await writeFile(file, policies.replaceAll('WORKLOAD', id));
    const cli = await setupCli({ TEMPORAL_ADDRESS: inject('temporalAddress'), FLYWHEEL_WORKLOADS: file });
    const run: typeof cli.run = (...args) => cli.run(...args.map((arg) => arg.replaceAll('WORKLOAD', id)));
    await cli.logStore.append([aRecord(`rec-${id}`, { workloadId: id })]);
    onTestFinished(async () => {
      for (const schedule of [`daily:${id}`, `weekly:${id}`, `volume:${id}`, 'daily', 'weekly', 'volume'])
        await client.schedule
          .getHandle(schedule)
          .delete()
          .catch(() => {});
    });
    /** Temporal lists a new schedule a moment late. */
    const listed = async (schedule: string): Promise<Row> => {
      let found: Row | undefined;
      await untilTrue(async () => {
        const rows = (await run('schedule', 'list', '--json')).json() as Row[];
        found = rows.find((row) => row.schedule === schedule);
        return found !== undefined;
      });
      return found as Row;
    };
    return { ...cli, run, world, id, listed, file };
  }

  it('makes daily and weekly schedules at local times that start a sweep, and nothing else', async () => {
    const { run, id, listed } = await setup();

    const set = await run(
      ...['schedule', 'set', 'WORKLOAD', '--timezone', 'Europe/Berlin', '--daily', '02:00'],
      ...['--json', '--weekly', 'sun', '03:00'],
    );

    expect(set.stderr).toBe('');
    expect(set.json()).toEqual([
      { schedule: `daily:${id}`, change: 'created', when: 'daily 02:00 Europe/Berlin' },
      { schedule: `weekly:${id}`, change: 'created', when: 'weekly sun 03:00 Europe/Berlin' },
    ]);
    const daily = await client.schedule.getHandle(`daily:${id}`).describe();
    const weekly = await client.schedule.getHandle(`weekly:${id}`).describe();
    expect(daily.action).toMatchObject({ workflowType: 'sweep', workflowId: `sweep:daily:${id}` });
    expect(daily.policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 6 * 3_600_000 });
    expect(weekly.policies).toMatchObject({ overlap: 'BUFFER_ONE', catchupWindow: 24 * 3_600_000 });
    expect(weekly.info.nextActionTimes[0]?.getUTCDay()).toBeOneOf([0, 6]);
    const berlin = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit' });
    expect(berlin.format(daily.info.nextActionTimes[0])).toBe('02');
    expect(await listed(`daily:${id}`)).toMatchObject({ cadence: 'daily', workload: id, paused: false });
  });

  it('updates in place, and leaves a person’s pause alone', async () => {
    const { run, id, listed } = await setup();
    await run('schedule', 'set', 'WORKLOAD', '--daily', '02:00');
    await listed(`daily:${id}`);

    const paused = await run('schedule', 'pause', 'daily:WORKLOAD', '--reason', 'holidays');
    const again = await run('schedule', 'set', 'WORKLOAD', '--daily', '04:30', '--json');

    expect(paused.code).toBe(0);
    expect(again.json()).toEqual([{ schedule: `daily:${id}`, change: 'updated', when: 'daily 04:30 UTC' }]);
    expect(await listed(`daily:${id}`)).toMatchObject({
      when: 'daily 04:30 UTC',
      paused: true,
      note: expect.stringContaining('holidays'),
      next: null,
    });
    await run('schedule', 'resume', 'WORKLOAD');
    expect((await listed(`daily:${id}`)).next).toMatch(/T04:[34]\d/);
  });

  it('becomes what workloads.yaml says: made, changed and deleted, however often', async () => {
    const policy = (schedule: string) => `workloads: { WORKLOAD: { schedule: ${schedule} } }`;
    const { id, run, listed, file } = await setup(
      policy('{ daily: "02:00", weekly: sun 03:00, volume: 500 }'),
    );
    const sync = async () =>
      ((await run('schedule', 'set', 'WORKLOAD', '--json')).json() as Row[]).map(
        ({ schedule, change }) => `${schedule} ${change}`,
      );

    const first = await sync();
    for (const cadence of ['daily', 'weekly', 'volume']) await listed(`${cadence}:${id}`);
    const second = await sync();
    await writeFile(file, policy('{ daily: "03:00" }').replaceAll('WORKLOAD', id));
    const third = await sync();

    expect(first).toEqual([`daily:${id} created`, `weekly:${id} created`, `volume:${id} created`]);
    expect(second).toEqual([`daily:${id} updated`, `weekly:${id} updated`, `volume:${id} updated`]);
    expect(third.sort()).toEqual([`daily:${id} updated`, `volume:${id} deleted`, `weekly:${id} deleted`]);
  });

  it('keeps a paused schedule that workloads.yaml no longer asks for, and so its pause', async () => {
    const { createFlywheels } = await import('../../wiring/flywheels.ts');
    const { id, run, listed } = await setup();
    await run('schedule', 'set', 'WORKLOAD', '--daily', '02:00');
    await listed(`daily:${id}`);
    await run('schedule', 'pause', 'WORKLOAD');

    const synced = await run('schedule', 'set', '--all', '--json');

    expect(synced.json()).toContainEqual({ schedule: `daily:${id}`, change: 'kept: paused', when: null });
    expect(await createFlywheels(client).scheduled('daily')).toContain(id);
  });

  it('triggered, it sweeps at once, paused or not, and says what came of it', async () => {
    const { run, id, listed, world } = await setup();
    await run('schedule', 'set', 'WORKLOAD', '--daily', '02:00');
    await listed(`daily:${id}`);
    await run('schedule', 'pause', 'WORKLOAD');

    const triggered = await run('schedule', 'trigger', 'WORKLOAD', '--json');
    const text = await run('schedule', 'trigger', 'daily:WORKLOAD');

    expect(triggered.json()).toMatchObject({
      schedule: `daily:${id}`,
      reports: [{ workloadId: id, outcome: 'started', runId: world.triggers[0]?.runId }],
    });
    expect(text.stdout).toMatch(new RegExp(`daily:${id} .*started run-`));
    expect(world.sweeps[0]).toMatchObject({ scheduleId: `daily:${id}`, cadence: 'daily' });
    expect(Date.now() - Date.parse(world.sweeps[0]?.scheduledAt ?? '')).toBeLessThan(60_000);
  });

  it('makes up for missed times, one sweep each, under the time that was missed', async () => {
    const { run, id, listed, world } = await setup();
    await run('schedule', 'set', 'WORKLOAD', '--daily', '02:00');
    await listed(`daily:${id}`);

    const backfill = await run(
      ...['schedule', 'backfill', 'WORKLOAD', '--from', '2026-03-01', '--to', '2026-03-03T12:00:00Z'],
    );
    await untilTrue(() => world.sweeps.length === 3);

    expect(backfill.code).toBe(0);
    expect(world.sweeps.map(({ scheduledAt }) => scheduledAt.slice(0, 13))).toEqual([
      '2026-03-01T02',
      '2026-03-02T02',
      '2026-03-03T02',
    ]);
  });

  it('for all leaves out the workloads that have one for themselves', async () => {
    const { run, id, listed } = await setup();
    await run('schedule', 'set', 'WORKLOAD', '--daily', '02:00');
    await run('schedule', 'set', '--all', '--daily', '01:00');
    await listed(`daily:${id}`);
    await listed('daily');

    const { createFlywheels } = await import('../../wiring/flywheels.ts');

    expect(await createFlywheels(client).scheduled('daily')).toContain(id);
    expect(await createFlywheels(client).scheduled('weekly')).not.toContain(id);
    expect((await run('schedule', 'delete', 'daily')).stdout).toBe('daily is deleted.\n');
  });

  it.each([
    ['no workload', ['set'], /Which workload\?/],
    ['both', ['set', 'hr', '--all'], /not both/],
    ['no time of day', ['set', 'hr', '--daily', '2am'], /must be a time such as 02:00/],
    ['no day', ['set', 'hr', '--weekly', '03:00'], /day and a time such as sun 03:00/],
    [
      'a workload behind --weekly',
      ['set', '--weekly', 'sun', '03:00', 'hr'],
      /Which workload|day and a time/,
    ],
    ['no such zone', ['set', 'hr', '--daily', '02:00', '--timezone', 'Berlin'], /IANA time zone/],
    ['a backfill into the past', ['backfill', 'hr', '--from', '2026-03-03', '--to', '2026-03-01'], /before/],
  ])('refuses %s with what to do', async (_, args, message) => {
    const { run } = await setup();

    const { code, stderr } = await run('schedule', ...args);

    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('names the schedules there are when asked for another', async () => {
    const { run } = await setup();

    const { code, stderr } = await run('schedule', 'pause', `daily:${randomUUID()}`);

    expect(code).toBe(1);
    expect(stderr).toMatch(/There is no schedule.*\(there: /s);
  });
});
