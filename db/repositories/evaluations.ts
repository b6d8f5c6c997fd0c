import { and, asc, desc, eq, getTableColumns, isNotNull, isNull, sql } from 'drizzle-orm';
import type { EvaluationItem, EvaluationLineage } from '../../activities/ports/experiment-lineage.ts';
import type { Database } from '../connect.ts';
import { one } from '../rows.ts';
import { evaluationItems, evaluations } from '../schema/experiments.ts';

/** Rows per insert: ten parameters each, and PostgreSQL takes 65,534 of them. */
const batchSize = 1_000;

export function createEvaluationLineage(db: Database): EvaluationLineage {
  return {
    async open({ evaluationId, ...evaluation }) {
      await db
        .insert(evaluations)
        .values({ id: evaluationId, ...evaluation })
        .onConflictDoNothing();
    },
    ofExperiment: (experimentId) =>
      db
        .select({ evaluationId: evaluations.id, serving: evaluations.serving })
        .from(evaluations)
        .where(eq(evaluations.experimentId, experimentId))
        .orderBy(asc(evaluations.id)),
    async storedItemIds(evaluationId) {
      const rows = await db
        .select({ itemId: evaluationItems.itemId })
        .from(evaluationItems)
        .where(eq(evaluationItems.evaluationId, evaluationId));
      return new Set(rows.map((row) => row.itemId));
    },
    async storeItems(evaluationId, items) {
      for (let start = 0; start < items.length; start += batchSize) {
        const rows = items.slice(start, start + batchSize).map((item) => ({
          evaluationId,
          ...item,
          // A provider's words may hold a NUL, which PostgreSQL's text cannot.
          failureDetail: item.failureDetail?.replaceAll('\0', '') ?? null,
          scores: { ...item.scores },
        }));
        await db.insert(evaluationItems).values(rows).onConflictDoNothing();
      }
    },
    items: (evaluationId) => readItems(db, evaluationId),
    async close(summary) {
      const closed = await db
        .update(evaluations)
        .set({
          n: summary.n,
          failed: summary.failed,
          failures: { ...summary.failures },
          metrics: { ...summary.metrics },
          latencyP50Ms: summary.latencyMs?.p50 ?? null,
          latencyP95Ms: summary.latencyMs?.p95 ?? null,
          latencyOf: summary.latencyMs?.of ?? null,
          promptTokens: summary.tokens.prompt,
          completionTokens: summary.tokens.completion,
          closedAt: sql`now()`,
        })
        .where(and(eq(evaluations.id, summary.evaluationId), isNull(evaluations.closedAt)))
        .returning({ id: evaluations.id });
      if (closed.length === 0) await findEvaluation(db, summary.evaluationId);
    },
  };
}

async function findEvaluation(db: Database, id: string) {
  return one(await db.select().from(evaluations).where(eq(evaluations.id, id)), `evaluation "${id}"`);
}

/** The experiment's newest evaluation that ended; null when it was never measured. */
export async function newestEvaluation(db: Database, experimentId: string): Promise<string | null> {
  const rows = await db
    .select({ id: evaluations.id })
    .from(evaluations)
    .where(and(eq(evaluations.experimentId, experimentId), isNotNull(evaluations.closedAt)))
    .orderBy(desc(evaluations.closedAt))
    .limit(1);
  return rows[0]?.id ?? null;
}

async function readItems(db: Database, evaluationId: string): Promise<EvaluationItem[]> {
  const { evaluationId: _evaluation, storedAt: _storedAt, ...itemColumns } = getTableColumns(evaluationItems);
  return db
    .select(itemColumns)
    .from(evaluationItems)
    .where(eq(evaluationItems.evaluationId, evaluationId))
    .orderBy(asc(sql`${evaluationItems.itemId} collate "C"`));
}
