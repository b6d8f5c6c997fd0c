import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { expect, it, onTestFinished } from 'vitest';
import { connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import { migrate } from '../../db/migrate.ts';
import journal from '../../db/migrations/meta/_journal.json' with { type: 'json' };
import { createEmptyDatabase } from '../support/database.ts';
import firstRows from './fixtures/first-schema.json' with { type: 'json' };

const migrationsFolder = fileURLToPath(new URL('../../db/migrations', import.meta.url));
/** What the first version of the schema consisted of. */
const first = ['0000_lineage', '0001_audit-append-only'];

/** Applies the migrations of the first version alone. */
async function migrateToFirst(url: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'flywheel-first-schema-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await cp(migrationsFolder, folder, { recursive: true });
  const entries = journal.entries.filter(({ tag }) => first.includes(tag));
  await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify({ ...journal, entries }));
  const client = postgres(url, { max: 1, onnotice: () => undefined });
  await applyMigrations(drizzle(client), { migrationsFolder: folder });
  await client.end();
}

/** An approved run with its route, as the first version's own code wrote it. */
async function fill(url: string): Promise<void> {
  const client = postgres(url, { max: 1 });
  for (const [table, rows] of Object.entries(firstRows)) {
    await client`
      insert into ${client(table)} overriding system value
      select * from json_populate_recordset(null::${client.unsafe(`"${table}"`)}, ${JSON.stringify(rows)}::text::json)`;
  }
  await client.end();
}

type Row = Record<string, unknown>;

/** Every row of every table, as JSON. */
async function contents(url: string): Promise<Record<string, Row[]>> {
  const client = postgres(url, { max: 1 });
  const tables = await client<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' order by 1`;
  const found: Record<string, Row[]> = {};
  for (const { name } of tables) {
    const rows = await client<
      { row: Row }[]
    >`select to_jsonb(t) as row from ${client(name)} t order by t::text`;
    found[name] = rows.map(({ row }) => row);
  }
  await client.end();
  return found;
}

it('a database of the first version is brought up to date, and keeps all it holds', async () => {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  await migrateToFirst(database.url);
  await fill(database.url);
  const before = await contents(database.url);
  // A table that is empty here would be brought up to date by any migration.
  for (const [table, rows] of Object.entries(before)) expect([table, rows.length > 0]).toEqual([table, true]);

  await migrate(database.url);
  await migrate(database.url);

  const connection = connect(database.url, { max: 2 });
  onTestFinished(() => connection.close());
  const { runs, routes, decisions, evaluations } = createLineage(connection.db);
  const view = await runs.view('run-1');
  expect(view).toMatchObject({
    runId: 'run-1',
    status: 'completed',
    approval: { status: 'approved', actor: 'grace', reason: 'looks right' },
    experiments: [{ strategy: 'lora', status: 'succeeded' }],
  });
  const trace = await routes.trace('hr');
  expect(trace.route).toMatchObject({ version: 1 });
  expect(trace.run?.runId).toBe('run-1');
  expect((await decisions.getVerdict('run-1')).serving).toMatchObject({ provider: 'local' });
  const items = await evaluations.items('eval-run-1/nano/lora');
  expect(items.map(({ itemId, failure }) => [itemId, failure])).toEqual([
    ['item-1', null],
    ['item-2', 'timeout'],
  ]);
  // Nothing that it held is lost or changed; a migration that means to do so has to say it here.
  const after = await contents(database.url);
  for (const [table, rows] of Object.entries(before)) {
    expect(after[table]).toHaveLength(rows.length);
    for (const row of rows) expect(after[table]).toContainEqual(expect.objectContaining(row) as unknown);
  }
});
