import { inspect } from 'node:util';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresLogStore } from '../../../integrations/postgres-logs/log-store.ts';
import { migratePostgresLogs } from '../../../integrations/postgres-logs/migrate.ts';
import { insertRecords, toRow } from '../../../integrations/postgres-logs/write.ts';
import { describeLogStore } from '../../contracts/log-store.contract.ts';
import {
  createEmptyDatabase,
  createTestDatabase,
  emptyDatabase,
  type TestDatabase,
} from '../../support/database.ts';
import { aRecord } from '../../support/records.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describeLogStore('PostgreSQL', async () => {
  await emptyDatabase(database.url);
  const store = createPostgresLogStore(database.url);
  const slow = postgres(database.url, { max: 1 });
  return {
    store,
    async beginSlowAppend(records) {
      const connection = await slow.reserve();
      await connection`begin`;
      await insertRecords(connection, records.map(toRow));
      return async () => {
        await connection`commit`;
        connection.release();
      };
    },
    async appendLate(record, ingestedAt) {
      await store.append([record]);
      await slow`update flywheel_logs.records set ingested_at = ${ingestedAt}::text::timestamptz where id = ${record.id}`;
    },
    async close() {
      await store.close();
      await slow.end({ timeout: 5 });
    },
  };
});

describe('the log store on PostgreSQL', () => {
  it('migrates twice and at once without harm', async () => {
    const empty = await createEmptyDatabase();

    await Promise.all([migratePostgresLogs(empty.url), migratePostgresLogs(empty.url)]);
    await migratePostgresLogs(empty.url);

    const store = createPostgresLogStore(empty.url);
    expect(await store.append([aRecord('a')])).toEqual({ stored: 1, duplicates: 0 });
    await store.close();
    await empty.drop();
  });

  it('says that the tables are missing, when they are', async () => {
    const empty = await createEmptyDatabase();
    const store = createPostgresLogStore(empty.url);

    await expect(store.append([aRecord('a')])).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: expect.stringContaining('migrations'),
    });

    await store.close();
    await empty.drop();
  });

  it('is unavailable, without its password in the message, when nobody answers', async () => {
    const store = createPostgresLogStore('postgres://flywheel:sesame@127.0.0.1:9/flywheel');

    const failure = await store.ping().catch((error: unknown) => error);

    expect(failure).toMatchObject({ name: 'UnavailableError', retryable: true });
    expect(String(failure)).not.toContain('sesame');
    await store.close();
  });

  it('names the record whose id PostgreSQL cannot hold', async () => {
    const store = createPostgresLogStore(database.url);

    // A refusal: it is about the record, which is set aside, and holds up no other.
    await expect(store.append([aRecord('a\0b')])).rejects.toMatchObject({
      name: 'RejectedError',
      message: expect.stringContaining('a\\u0000b'),
    });

    await store.close();
  });

  it('keeps users’ data out of its errors', async () => {
    const store = createPostgresLogStore(database.url);

    const failure = await store
      .append([aRecord('a', { clientId: 'Mrs Secret', responseSource: 'nonsense' as 'gold' })])
      .catch((error: unknown) => error);

    expect(failure).toMatchObject({ name: 'RejectedError', retryable: false });
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('Mrs Secret');
    await store.close();
  });
});
