import { inspect } from 'node:util';
import { sql } from 'drizzle-orm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Connection, connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import { migrate } from '../../db/migrate.ts';
import journal from '../../db/migrations/meta/_journal.json' with { type: 'json' };
import { createEmptyDatabase, createTestDatabase } from '../support/database.ts';
import { aRun } from '../support/lineage.ts';

describe('migrate', () => {
  it('may run in many processes at once and again', async () => {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());

    await Promise.all(Array.from({ length: 4 }, () => migrate(database.url)));
    await migrate(database.url);

    const connection = connected(database.url);
    const applied = await connection.db.execute(
      sql`select count(*)::int as count from drizzle.__drizzle_migrations`,
    );
    expect(applied[0]?.['count']).toBe(journal.entries.length);
  });

  it('keeps what is there', async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const lineage = createLineage(connected(database.url).db);
    await lineage.runs.open(aRun('run-1'));

    await migrate(database.url);

    expect(await lineage.runs.latest('hr')).toBe('run-1');
  });

  it('gives the lock back when it fails', async () => {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    const connection = connected(database.url);
    await connection.db.execute(sql`create table runs (something_else int)`);

    await expect(migrate(database.url)).rejects.toThrow(/"runs" already exists/);
    await connection.db.execute(sql`drop table runs`);

    await migrate(database.url);
  });
});

describe('the audit log', () => {
  it.each([
    ['update', sql`update audit_log set actor = 'somebody else'`],
    ['delete', sql`delete from audit_log`],
    ['truncate', sql`truncate audit_log`],
  ])('cannot be changed by %s', async (_, statement) => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const { db } = connected(database.url);
    const { audit } = createLineage(db);
    const entry = { id: '1', actor: 'ada', actorSource: 'local', workloadId: 'hr', runId: null };
    await audit.append({ ...entry, action: 'approve', detail: {} });

    const refusal = await db.execute(statement).then(
      () => null,
      (error: unknown) => error,
    );

    expect(refusal).toMatchObject({ cause: { message: expect.stringContaining('append-only') } });
    expect(await audit.list('hr')).toMatchObject([{ actor: 'ada' }]);
  });
});

describe('a connection', () => {
  it('is unavailable, without its password in the message, when nobody answers', async () => {
    const connection = connected('postgres://flywheel:sesame@127.0.0.1:9/flywheel');
    const { runs } = createLineage(connection.db);

    for (const ask of [connection.ping, () => runs.latest('hr'), () => runs.open(aRun('run-1'))]) {
      const failure = await ask().catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'UnavailableError', retryable: true });
      expect(String(failure)).not.toContain('sesame');
    }
  });

  it('keeps the data of a refused write out of its error', async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const { runs } = createLineage(connected(database.url).db);

    const failure = await runs
      .open(aRun('run-1', { reason: 'secret\0reason' }))
      .catch((error: unknown) => error);

    expect(failure).toMatchObject({ name: 'RejectedError' });
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('secret');
  });

  it('says what a wrong address must look like, without repeating it', () => {
    expect(() => connect('flywheel:sesame@host')).toThrow(/must look like postgres:/);
    expect(() => connect('flywheel:sesame@host')).not.toThrow(/sesame/);
  });

  it('says that the tables are missing, when they are', async () => {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    const { runs } = createLineage(connected(database.url).db);

    await expect(runs.latest('hr')).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: expect.stringContaining('migrations'),
    });
  });
});

function connected(url: string): Connection {
  const connection = connect(url, { max: 2 });
  onTestFinished(() => connection.close());
  return connection;
}
