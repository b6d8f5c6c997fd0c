import { index, integer, json, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import type { GuardrailRules } from '../../domain/guardrails/guardrails.ts';
import { type SafetySummary, safetyOutcomes } from '../../domain/guardrails/safety.ts';
import type { Json } from '../../domain/json.ts';
import { at, createdAt, oneOf } from './columns.ts';
import { experiments } from './experiments.ts';

/** One experiment's answers to a safety set, held against one set of rules. */
export const safetyChecks = pgTable(
  'safety_checks',
  {
    id: text().primaryKey(),
    experimentId: text()
      .notNull()
      .references(() => experiments.id),
    serving: jsonb().$type<ServingSpec>().notNull(),
    /** `json`: the first rule that is broken is the one that is named. */
    rules: json().$type<GuardrailRules>().notNull(),
    /** Whose guardrails checked; null: Flywheel's own. */
    provider: text(),
    /** The artifact with the items. */
    safetySet: text().notNull(),
    total: integer().notNull(),
    summary: json().$type<SafetySummary>(),
    createdAt: createdAt(),
    closedAt: at(),
  },
  (t) => [index('safety_checks_experiment').on(t.experimentId)],
);

/** One asked item. Stored once, never asked for again. */
export const safetyItems = pgTable(
  'safety_items',
  {
    checkId: text()
      .notNull()
      .references(() => safetyChecks.id),
    itemId: text().notNull(),
    category: text().notNull(),
    /** Verbatim, hence `json`. */
    response: json().$type<Json>(),
    outcome: text({ enum: safetyOutcomes }).notNull(),
    rule: text(),
    questionRule: text(),
    detail: text(),
    storedAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.checkId, t.itemId] }),
    oneOf('safety_items_outcome', t.outcome, safetyOutcomes),
  ],
);
