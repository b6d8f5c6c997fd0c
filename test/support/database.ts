import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import postgres from 'postgres';
import { inject } from 'vitest';
import { migrate } from '../../db/migrate.ts';
import { migratePostgresLogs } from '../../integrations/postgres-logs/migrate.ts';
import { migrations } from '../../integrations/postgres-logs/migrations.ts';

export interface TestDatabase {
  readonly url: string;
  /** Ends every connection to it and removes it. */
  drop(): Promise<void>;
}

/** A migrated database of its own, copied from a template in some tens of milliseconds. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('databaseUrl');
  return withAdmin(server, async (admin) => {
    const template = await ensureTemplate(admin, server);
    return copyOf(admin, server, template);
  });
}

/** A database of its own without a single table. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const server = inject('databaseUrl');
  return withAdmin(server, (admin) => copyOf(admin, server, 'template1'));
}

/** Empties every table but the migrations': some milliseconds, where a new database takes a second on a busy machine. */
export async function emptyDatabase(url: string): Promise<void> {
  await withAdmin(url, async (sql) => {
    const tables = await sql<{ name: string }[]>`
      select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname in ('public', 'flywheel_logs') and tablename <> 'migrations'`;
    // As a replica would: without foreign keys and without the audit log's guard.
    const deletes = tables.map(({ name }) => `delete from ${name};`).join('');
    await sql.unsafe(`set session_replication_role = replica; ${deletes}`);
  });
}

async function copyOf(admin: postgres.Sql, server: string, template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await admin`create database ${admin(name)} template ${admin(template)}`;
  return {
    url: urlOf(server, name),
    drop: () =>
      withAdmin(server, async (sql) => {
        await sql`drop database if exists ${sql(name)} with (force)`;
      }),
  };
}

/** Named after the migrations' text, so that a server kept between test runs never serves an old one. */
async function ensureTemplate(admin: postgres.Sql, server: string): Promise<string> {
  const name = `template_${migrationsHash()}`;
  await admin`select pg_advisory_lock(hashtext(${name}))`;
  const known = await admin`select 1 from pg_database where datname = ${name}`;
  if (known.length === 0) {
    const draft = `${name}_draft`;
    await admin`drop database if exists ${admin(draft)} with (force)`;
    await admin`create database ${admin(draft)}`;
    await migrate(urlOf(server, draft));
    await migratePostgresLogs(urlOf(server, draft));
    await admin`alter database ${admin(draft)} rename to ${admin(name)}`;
  }
  await admin`select pg_advisory_unlock(hashtext(${name}))`;
  return name;
}

function migrationsHash(): string {
  const folder = new URL('../../db/migrations/', import.meta.url);
  const journal = readFileSync(new URL('meta/_journal.json', folder), 'utf8');
  const tags = (JSON.parse(journal) as { entries: { tag: string }[] }).entries.map((entry) => entry.tag);
  const texts = tags.map((tag) => readFileSync(new URL(`${tag}.sql`, folder), 'utf8'));
  return createHash('sha256')
    .update(JSON.stringify([...texts, ...migrations]))
    .digest('hex')
    .slice(0, 16);
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

async function withAdmin<T>(server: string, work: (admin: postgres.Sql) => Promise<T>): Promise<T> {
  const admin = postgres(server, { max: 1, onnotice: () => undefined });
  try {
    return await work(admin);
  } finally {
    await admin.end({ timeout: 5 });
  }
}
