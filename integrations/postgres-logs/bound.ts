import { RejectedError } from '../../domain/errors.ts';
import type { Queries } from './client.ts';
import { writerLock } from './write.ts';

/**
 * A time below which no further record can appear, without making anybody wait.
 *
 * A writer reads its clock after taking `writerLock` and gives the lock back once its rows are visible. So
 * the clock is read first, here, and then who holds the lock:
 *
 * - a writer that took it later stamps its rows after our reading;
 * - one that still holds it began no later than its rows' stamps, and the bound goes back to its beginning;
 * - one that gave it back is visible to every later read.
 *
 * A hung writer holds the bound back, never makes it wrong; the statement time-out ends it within a minute.
 */
export async function snapshotBound(sql: Queries): Promise<string> {
  const [clock] = await sql`select clock_timestamp()::text as now`;
  // A statement of its own: what the server shows of its sessions is frozen within a transaction.
  const [row] = await sql`
    select
      to_char(
        least(min(writer.xact_start), ${String(clock?.now)}::text::timestamptz) at time zone 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
      ) as bound,
      coalesce(bool_or(writer.query = '<insufficient privilege>'), false) as hidden
    from pg_locks l join pg_stat_activity writer using (pid)
    where l.locktype = 'advisory' and l.objsubid = 2 and l.granted
      and l.database = (select oid from pg_database where datname = current_database())
      and l.classid = ${writerLock.classId} and l.objid = ${writerLock.objectId}`;
  if (row?.hidden === true) {
    throw new RejectedError(
      'Another role writes logs, and this one may not see since when. Use one role for both, ' +
        'or grant pg_read_all_stats to the role that takes snapshots.',
    );
  }
  return String(row?.bound);
}
