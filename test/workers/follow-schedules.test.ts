import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { putSchedule } from '../../wiring/schedules/apply-schedules.ts';
import { openSchedules } from '../../wiring/schedules/open-schedules.ts';
import { followSchedules } from '../../workers/follow-schedules.ts';
import { eventually } from '../support/eventually.ts';

/** Real Schedules of a real server; the file is looked at every 50 ms instead of every minute. */
describe('a worker that follows workloads.yaml', () => {
  let connection: Connection;
  let client: Client;
  beforeAll(async () => {
    connection = await Connection.connect({ address: inject('temporalAddress') });
    client = new Client({ connection });
  });
  afterAll(() => connection.close());

  async function setup() {
    const dir = await mkdtemp(join(tmpdir(), 'flywheel-follow-'));
    const path = join(dir, 'workloads.yaml');
    const id = `w-${randomUUID().slice(0, 8)}`;
    /** In one step: a look at a file that is just being written would find it empty. */
    const put = async (text: string) => {
      await writeFile(`${path}.draft`, text);
      await rename(`${path}.draft`, path);
    };
    const write = (schedule: string) => put(`workloads: { ${id}: { schedule: ${schedule} } }\n`);
    const schedules = openSchedules({
      temporal: { address: inject('temporalAddress'), namespace: 'default', uiUrl: null, embedded: true },
      policiesFile: { path, required: false, candidates: [], providers: [], guardrailProviders: [] },
    });
    const logged: LogEntry[] = [];
    const start = () => {
      const following = followSchedules(
        schedules,
        new DefaultLogger('INFO', (entry) => logged.push(entry)),
        50,
      );
      onTestFinished(() => following.stop());
    };
    onTestFinished(async () => {
      for (const cadence of ['daily', 'weekly', 'volume'])
        await client.schedule
          .getHandle(`${cadence}:${id}`)
          .delete()
          .catch(() => {});
      await schedules.close();
      await rm(dir, { recursive: true });
    });
    /** In words; null where there is none. */
    const when = async (cadence: string): Promise<string | null | undefined> => {
      const found = await client.schedule
        .getHandle(`${cadence}:${id}`)
        .describe()
        .catch(() => null);
      return found && found.spec.calendars?.[0]?.comment;
    };
    const bySchedule = { cadence: 'daily', workloadId: id, timezone: 'UTC', source: 'person' } as const;
    return {
      put,
      id,
      write,
      start,
      when,
      logged,
      byHand: (time: string) => putSchedule(client, { ...bySchedule, when: time }),
    };
  }

  it('makes, changes and deletes what the file asks for, without a restart', async () => {
    const { write, start, when } = await setup();
    await write('{ daily: "02:00", weekly: sun 03:00 }');

    start();
    await eventually(async () => expect(await when('weekly')).toBe('weekly sun 03:00 UTC'));
    await write('{ daily: "04:00", timezone: Europe/Berlin }');

    await eventually(async () => expect(await when('daily')).toBe('daily 04:00 Europe/Berlin'));
    await eventually(async () => expect(await when('weekly')).toBeNull());
  });

  it('leaves what a person did: times set by hand, and a pause, whatever the file says', async () => {
    const { id, write, start, when, byHand } = await setup();
    await byHand('05:00');
    await write('{ daily: "02:00", weekly: sun 03:00 }');
    start();
    await eventually(async () => expect(await when('weekly')).toBe('weekly sun 03:00 UTC'));

    await client.schedule.getHandle(`weekly:${id}`).pause('holidays (ana)');
    await write('{ weekly: mon 04:00, volume: 900 }');
    await eventually(async () => expect(await when('weekly')).toBe('weekly mon 04:00 UTC'));
    await write('{ volume: 900 }');
    await eventually(async () => expect(await when('volume')).toBeUndefined());
    await write('{}');
    await eventually(async () => expect(await when('volume')).toBeNull());

    const weekly = await client.schedule.getHandle(`weekly:${id}`).describe();
    expect(weekly.state).toMatchObject({ paused: true, note: 'holidays (ana)' });
    expect(await when('daily')).toBe('daily 05:00 UTC');
  });

  it.each([
    ['cannot be used', 'default: { threshold: high }\n'],
    ['is empty', ''],
  ])('keeps the schedules of a file that %s, says so once, and goes on when it can', async (_, broken) => {
    const { put, write, start, when, logged } = await setup();
    await write('{ daily: "02:00" }');
    start();
    await eventually(async () => expect(await when('daily')).toBe('daily 02:00 UTC'));

    await put(broken);
    await eventually(() => expect(logged.filter(({ level }) => level === 'WARN')).not.toEqual([]));
    const meanwhile = await when('daily');
    await write('{ daily: "03:00" }');

    await eventually(async () => expect(await when('daily')).toBe('daily 03:00 UTC'));
    expect(meanwhile).toBe('daily 02:00 UTC');
    expect(logged.filter(({ level }) => level === 'WARN')).toHaveLength(1);
  });
});
