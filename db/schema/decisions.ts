import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import type { Json } from '../../domain/json.ts';
import { at, createdAt, oneOf } from './columns.ts';
import { experiments } from './experiments.ts';
import { runs, workloads } from './runs.ts';

export const verdictOutcomes = ['promote', 'hold', 'inconclusive'] as const;
export const gateStatuses = ['pending', 'approved', 'rejected', 'expired', 'superseded'] as const;
export const decisionOutcomes = ['approve', 'reject'] as const;
export const actorSources = ['local', 'signal', 'token'] as const;
export const moveKinds = ['promotion', 'rollback', 'restore'] as const;

/** What the evidence of a run says, and the digest of exactly what would be promoted. */
export const verdicts = pgTable(
  'verdicts',
  {
    runId: text()
      .primaryKey()
      .references(() => runs.id),
    outcome: text({ enum: verdictOutcomes }).notNull(),
    winnerExperimentId: text().references(() => experiments.id),
    winnerCandidate: text(),
    winnerStrategy: text(),
    reason: text().notNull(),
    primaryMetric: text().notNull(),
    threshold: doublePrecision().notNull(),
    digest: text().notNull(),
    serving: jsonb().$type<ServingSpec>(),
    createdAt: createdAt(),
  },
  (t) => [index('verdicts_digest').on(t.digest), oneOf('verdicts_outcome', t.outcome, verdictOutcomes)],
);

/** Where a run's evidence waits for a person. */
export const approvalGates = pgTable(
  'approval_gates',
  {
    runId: text()
      .primaryKey()
      .references(() => runs.id),
    workloadId: text()
      .notNull()
      .references(() => workloads.id),
    digest: text().notNull(),
    status: text({ enum: gateStatuses }).notNull().default('pending'),
    openedAt: createdAt(),
    expiresAt: at().notNull(),
    closedAt: at(),
  },
  (t) => [
    index('approval_gates_workload').on(t.workloadId, t.status),
    oneOf('approval_gates_status', t.status, gateStatuses),
  ],
);

/** A named person's decision on one exact digest. At most one per gate. */
export const approvals = pgTable(
  'approvals',
  {
    runId: text()
      .primaryKey()
      .references(() => approvalGates.runId),
    /** Idempotency id of the decision, unique within its gate. */
    id: text().notNull(),
    outcome: text({ enum: decisionOutcomes }).notNull(),
    actor: text().notNull(),
    actorSource: text({ enum: actorSources }).notNull(),
    reason: text().notNull(),
    digest: text().notNull(),
    override: boolean().notNull(),
    decidedAt: createdAt(),
  },
  (t) => [
    oneOf('approvals_outcome', t.outcome, decisionOutcomes),
    oneOf('approvals_actor_source', t.actorSource, actorSources),
  ],
);

/** Where each workload's traffic goes now: the result of its newest move. */
export const routes = pgTable('routes', {
  workloadId: text()
    .primaryKey()
    .references(() => workloads.id),
  version: integer().notNull(),
  serving: jsonb().$type<ServingSpec>(),
  previous: jsonb().$type<ServingSpec>(),
  digest: text(),
  runId: text().references(() => runs.id),
  since: at().notNull(),
});

/** Every move of a route, with the route that it made. */
export const routeMoves = pgTable(
  'route_moves',
  {
    id: text().primaryKey(),
    workloadId: text()
      .notNull()
      .references(() => workloads.id),
    version: integer().notNull(),
    kind: text({ enum: moveKinds }).notNull(),
    serving: jsonb().$type<ServingSpec>(),
    previous: jsonb().$type<ServingSpec>(),
    digest: text(),
    runId: text().references(() => runs.id),
    actor: text().notNull(),
    reason: text().notNull(),
    movedAt: createdAt(),
  },
  (t) => [
    uniqueIndex('route_moves_workload_version').on(t.workloadId, t.version),
    index('route_moves_run').on(t.runId),
    oneOf('route_moves_kind', t.kind, moveKinds),
  ],
);

/**
 * Who did what. Append-only: a trigger refuses updates, deletions and truncation. No foreign keys, so that
 * a note never fails for want of what it is about.
 */
export const auditLog = pgTable(
  'audit_log',
  {
    id: text().primaryKey(),
    sequence: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    at: createdAt(),
    actor: text().notNull(),
    actorSource: text().notNull(),
    action: text().notNull(),
    workloadId: text().notNull(),
    runId: text(),
    detail: json().$type<Json>(),
  },
  (t) => [index('audit_log_workload').on(t.workloadId, t.sequence.desc())],
);
