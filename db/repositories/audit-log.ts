import { desc, eq } from 'drizzle-orm';
import type { AuditLog } from '../../activities/ports/lineage.ts';
import type { Database } from '../connect.ts';
import { toIso } from '../rows.ts';
import { auditLog } from '../schema/decisions.ts';

export function createAuditLog(db: Database): AuditLog {
  return {
    async append(entry) {
      await db.insert(auditLog).values(entry).onConflictDoNothing();
    },
    async find(id) {
      const [row] = await db.select().from(auditLog).where(eq(auditLog.id, id));
      if (row === undefined) return null;
      const { actor, actorSource, action, runId, detail } = row;
      return { id, actor, actorSource, action, runId, detail };
    },
    async list(workloadId, limit = 100) {
      const rows = await db
        .select()
        .from(auditLog)
        .where(eq(auditLog.workloadId, workloadId))
        .orderBy(desc(auditLog.sequence))
        .limit(limit);
      return rows.map(({ at, actor, actorSource, action, runId, detail }) => ({
        at: toIso(at),
        actor,
        actorSource,
        action,
        runId,
        detail,
      }));
    },
  };
}
