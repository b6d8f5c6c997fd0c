import { sql } from 'drizzle-orm';
import { bigint, check, index, json, pgTable, text } from 'drizzle-orm/pg-core';
import { feedbackKinds } from '../../domain/feedback/feedback.ts';
import type { Json } from '../../domain/json.ts';
import { at, createdAt, oneOf } from './columns.ts';

/**
 * What was said about answers. No foreign keys: feedback may come before the record that it is about has
 * left a spool, and for a workload that never had a run.
 */
export const feedback = pgTable(
  'feedback',
  {
    id: text().primaryKey(),
    hash: text().notNull(),
    /** Newest first even within one transaction, whose rows share a time. */
    sequence: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    recordId: text(),
    conversationId: text(),
    workloadId: text(),
    clientId: text(),
    kind: text({ enum: feedbackKinds }).notNull(),
    name: text(),
    /** Verbatim, hence `json`. */
    value: json().$type<Json>(),
    comment: text(),
    author: text(),
    givenAt: at(),
    storedAt: createdAt(),
  },
  (t) => [
    index('feedback_record').on(t.recordId),
    index('feedback_conversation').on(t.conversationId),
    index('feedback_workload').on(t.workloadId, t.sequence.desc()),
    oneOf('feedback_kind', t.kind, feedbackKinds),
    check('feedback_about', sql`${t.recordId} is not null or ${t.conversationId} is not null`),
  ],
);
