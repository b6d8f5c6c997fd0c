import { index, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { cadences } from '../../domain/schedules/cadence.ts';
import { sweepOutcomes } from '../../domain/schedules/sweep.ts';
import { at, createdAt, oneOf } from './columns.ts';

/**
 * What each sweep found out about a workload, and did. No foreign keys: a workload may have no run yet, and the
 * run that a sweep asked for may not have begun.
 */
export const sweeps = pgTable(
  'sweeps',
  {
    id: text().primaryKey(),
    scheduleId: text(),
    cadence: text({ enum: cadences }).notNull(),
    workloadId: text().notNull(),
    outcome: text({ enum: sweepOutcomes }).notNull(),
    reason: text().notNull(),
    newRecords: integer(),
    runId: text(),
    scheduledAt: at().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    index('sweeps_workload').on(t.workloadId, t.createdAt.desc()),
    index('sweeps_schedule').on(t.scheduleId, t.createdAt.desc()),
    oneOf('sweeps_cadence', t.cadence, cadences),
    oneOf('sweeps_outcome', t.outcome, sweepOutcomes),
  ],
);
