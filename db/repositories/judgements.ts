import { and, eq } from 'drizzle-orm';
import type { JudgementLineage } from '../../activities/ports/judgement-lineage.ts';
import type { Judgement } from '../../domain/judging/judge.ts';
import type { Database } from '../connect.ts';
import { evaluations } from '../schema/experiments.ts';
import { judgements } from '../schema/judgements.ts';

export function createJudgementLineage(db: Database): JudgementLineage {
  return {
    async of(evaluationId, judgeId) {
      const rows = await db
        .select()
        .from(judgements)
        .where(and(eq(judgements.evaluationId, evaluationId), eq(judgements.judgeId, judgeId)));
      return new Map(rows.map((row) => [row.itemId, toJudgement(row)]));
    },
    async store({ judgement, ...judged }) {
      // A model's words may hold a NUL, which PostgreSQL's text cannot.
      const reason = judgement.reason.replaceAll('\0', '');
      await db
        .insert(judgements)
        .values({ ...judged, ...judgement, reason })
        .onConflictDoNothing();
    },
    async close(evaluationId, summary) {
      await db.update(evaluations).set({ judge: summary }).where(eq(evaluations.id, evaluationId));
    },
  };
}

function toJudgement({ score, failure, reason }: typeof judgements.$inferSelect): Judgement {
  if (score !== null) return { score, reason, failure: null };
  return { score: null, reason, failure: failure ?? 'provider_error' };
}
