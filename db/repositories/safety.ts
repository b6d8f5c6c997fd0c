import { asc, count, desc, eq, getTableColumns, inArray, sql } from 'drizzle-orm';
import type { SafetyLineage } from '../../activities/ports/safety-lineage.ts';
import type { Database } from '../connect.ts';
import { safetyChecks, safetyItems } from '../schema/safety.ts';

export function createSafetyLineage(db: Database): SafetyLineage {
  const { checkId: _check, storedAt: _storedAt, ...itemColumns } = getTableColumns(safetyItems);
  return {
    async open({ checkId, ...check }) {
      await db
        .insert(safetyChecks)
        .values({ id: checkId, ...check })
        .onConflictDoNothing();
    },
    items: (checkId) =>
      db
        .select(itemColumns)
        .from(safetyItems)
        .where(eq(safetyItems.checkId, checkId))
        .orderBy(asc(sql`${safetyItems.itemId} collate "C"`)),
    async storeItem(checkId, item) {
      // A provider's words may hold a NUL, which PostgreSQL's text cannot.
      const detail = item.detail?.replaceAll('\0', '') ?? null;
      await db
        .insert(safetyItems)
        .values({ checkId, ...item, detail })
        .onConflictDoNothing();
    },
    async close(summary) {
      await db
        .update(safetyChecks)
        .set({ summary, closedAt: sql`now()` })
        .where(eq(safetyChecks.id, summary.checkId));
    },
  };
}

/** How far the newest check of each experiment is. */
export async function safetyProgress(
  db: Database,
  experimentIds: readonly string[],
): Promise<ReadonlyMap<string, { readonly done: number; readonly total: number }>> {
  const checks = await db
    .selectDistinctOn([safetyChecks.experimentId])
    .from(safetyChecks)
    .where(inArray(safetyChecks.experimentId, [...experimentIds]))
    .orderBy(safetyChecks.experimentId, desc(safetyChecks.createdAt), desc(safetyChecks.id));
  const rows = await db
    .select({ id: safetyItems.checkId, done: count() })
    .from(safetyItems)
    .where(
      inArray(
        safetyItems.checkId,
        checks.map(({ id }) => id),
      ),
    )
    .groupBy(safetyItems.checkId);
  const done = new Map(rows.map((row) => [row.id, row.done]));
  return new Map(
    checks.map(({ id, experimentId, total }) => [experimentId, { done: done.get(id) ?? 0, total }]),
  );
}
