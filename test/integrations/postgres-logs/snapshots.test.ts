import postgres from 'postgres';
import { createPostgresLogStore } from '../../../integrations/postgres-logs/log-store.ts';
import { describeSnapshots } from '../../contracts/snapshots.contract.ts';

describeSnapshots('PostgreSQL', async ({ url }) => {
  const store = createPostgresLogStore(url);
  const sql = postgres(url, { max: 1 });
  return {
    logStore: { kind: 'postgres' },
    // Emptied with the lineage, whose database it shares.
    empty: async () => undefined,
    async appendLate(record, ingestedAt) {
      await store.append([record]);
      await sql`
        update flywheel_logs.records set ingested_at = ${ingestedAt}::text::timestamptz where id = ${record.id}`;
    },
    async close() {
      await store.close();
      await sql.end({ timeout: 5 });
    },
  };
});
