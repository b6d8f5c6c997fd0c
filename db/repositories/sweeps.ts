import { and, desc, eq } from 'drizzle-orm';
import type { SweepLineage } from '../../activities/ports/sweep-lineage.ts';
import type { Database } from '../connect.ts';
import { toIso } from '../rows.ts';
import { sweeps } from '../schema/sweeps.ts';

export function createSweepLineage(db: Database): SweepLineage {
  return {
    async record(sweep) {
      await db.insert(sweeps).values(sweep).onConflictDoNothing();
    },
    async list({ workloadId, scheduleId, limit = 50 }) {
      const rows = await db
        .select()
        .from(sweeps)
        .where(
          and(
            workloadId === undefined ? undefined : eq(sweeps.workloadId, workloadId),
            scheduleId === undefined ? undefined : eq(sweeps.scheduleId, scheduleId),
          ),
        )
        .orderBy(desc(sweeps.createdAt), desc(sweeps.id))
        .limit(limit);
      return rows.map(({ createdAt, ...row }) => ({
        ...row,
        scheduledAt: toIso(row.scheduledAt),
        at: toIso(createdAt),
      }));
    },
  };
}
