import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { DeploymentLineage } from '../../activities/ports/deployment-lineage.ts';
import { type Connection, connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import { createTestDatabase, emptyDatabase, type TestDatabase } from '../support/database.ts';

const base = { provider: 'cluster', model: 'b', baseModel: null };
/** Sorts before its base, which is written first. */
const adapter = { provider: 'cluster', model: 'a', baseModel: 'b' };

let database: TestDatabase;
let connection: Connection;
let client: postgres.Sql;
let deployments: DeploymentLineage;
beforeAll(async () => {
  database = await createTestDatabase();
  connection = connect(database.url, { max: 2 });
  client = postgres(database.url, { max: 2 });
  deployments = createLineage(connection.db).deployments;
});
beforeEach(() => emptyDatabase(database.url));
afterAll(async () => {
  await Promise.all([connection.close(), client.end()]);
  await database.drop();
});

/** Two that took rows in different orders would wait for each other, until PostgreSQL ends one of them. */
it.each<[string, string, () => Promise<unknown>]>([
  ['deployments', 'a hold', () => deployments.hold(adapter, 'run:1')],
  ['deployments', 'a claim', () => deployments.claimUnused()],
  ['deployment_holds', 'a hold', () => deployments.hold(adapter, 'run:1')],
  ['deployment_holds', 'a release', () => deployments.release('run:1')],
  ['deployment_holds', 'a release of strays', () => deployments.releaseStrayHolds([])],
])('rows of %s are taken in one order by %s', async (table, _, take) => {
  await deployments.hold(base, 'run:1');
  await deployments.hold(adapter, 'run:1');
  const lock = (tx: postgres.TransactionSql, model: string) =>
    tx`select from ${tx(table)} where model = ${model} for update`;

  const taken = client.begin(async (tx) => {
    await lock(tx, 'a');
    const taking = take();
    await vi.waitFor(async () => expect(await waiting()).toBe(1), { timeout: 10_000 });
    await lock(tx, 'b');
    return { taking };
  });

  await expect(taken.then(({ taking }) => taking)).resolves.not.toThrow();
});

/** How many wait for a row that another has. */
async function waiting(): Promise<number> {
  const [row] = await client<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  return row?.count ?? 0;
}
