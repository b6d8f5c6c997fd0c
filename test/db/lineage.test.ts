import { afterAll, beforeAll } from 'vitest';
import { type Connection, connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import { describeLineage } from '../contracts/lineage.contract.ts';
import { createTestDatabase, emptyDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let connection: Connection;
beforeAll(async () => {
  database = await createTestDatabase();
  connection = connect(database.url, { max: 5 });
});
afterAll(async () => {
  await connection.close();
  await database.drop();
});

describeLineage('PostgreSQL', async () => {
  await emptyDatabase(database.url);
  return createLineage(connection.db);
});
