import { openClient } from './client.ts';
import { guarded } from './errors.ts';
import { migrations } from './migrations.ts';

/** Any fixed number, other than that of the lineage's migrations. */
const migrationLock = 7_119_235_602;

/** Brings the log store's tables (schema `flywheel_logs`) up to date. Safe to call by many at once. */
export async function migratePostgresLogs(url: string): Promise<void> {
  const client = openClient(url, 1);
  try {
    await guarded(() =>
      client.begin(async (sql) => {
        await sql`select pg_advisory_xact_lock(${migrationLock})`;
        await sql`create schema if not exists flywheel_logs`;
        await sql`create table if not exists flywheel_logs.migrations (
          version int primary key,
          applied_at timestamptz not null default now()
        )`;
        const [row] = await sql`select coalesce(max(version), 0) as version from flywheel_logs.migrations`;
        const applied = Number(row?.version);
        for (const [index, statements] of migrations.entries()) {
          if (index < applied) continue;
          await sql.unsafe(statements);
          await sql`insert into flywheel_logs.migrations (version) values (${index + 1})`;
        }
      }),
    );
  } finally {
    await client.end({ timeout: 5 });
  }
}
