import { doublePrecision, foreignKey, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { type JudgeSettings, judgeFailures } from '../../domain/judging/judge.ts';
import { createdAt, oneOf } from './columns.ts';
import { evaluationItems } from './experiments.ts';

/** What a judge thought of one answer: a score, or why there is none. */
export const judgements = pgTable(
  'judgements',
  {
    evaluationId: text().notNull(),
    itemId: text().notNull(),
    /** Hash of the judge's settings. */
    judgeId: text().notNull(),
    judge: jsonb().$type<JudgeSettings>().notNull(),
    /** In [0, 1]; null where the judge failed. */
    score: doublePrecision(),
    failure: text({ enum: judgeFailures }),
    reason: text().notNull(),
    judgedAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.evaluationId, t.itemId, t.judgeId] }),
    foreignKey({
      name: 'judgements_item',
      columns: [t.evaluationId, t.itemId],
      foreignColumns: [evaluationItems.evaluationId, evaluationItems.itemId],
    }),
    oneOf('judgements_failure', t.failure, judgeFailures),
  ],
);
