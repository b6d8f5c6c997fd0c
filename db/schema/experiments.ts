import {
  bigint,
  doublePrecision,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { Candidate, ServingSpec } from '../../domain/experiments/experiment.ts';
import { strategies } from '../../domain/experiments/experiment.ts';
import type { SetAsideSummary } from '../../domain/experiments/set-aside.ts';
import type { SafetyReport } from '../../domain/guardrails/safety.ts';
import type { Json } from '../../domain/json.ts';
import type { JudgeSummary } from '../../domain/judging/judge.ts';
import { at, createdAt, oneOf } from './columns.ts';
import { datasets, runs } from './runs.ts';

export const experimentRoles = ['challenger', 'champion'] as const;
export const experimentStages = [
  'waiting',
  'preparing',
  'training',
  'evaluating',
  'checking',
  'done',
] as const;
export const experimentStatuses = ['pending', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export const jobStatuses = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;

/** A candidate as it was configured once: a changed setting makes another row. */
export const candidates = pgTable(
  'candidates',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    provider: text().notNull(),
    model: text().notNull(),
    settings: jsonb().$type<Candidate>().notNull(),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex('candidates_name_settings').on(t.name, t.settings)],
);

/** One candidate × one strategy in one run. */
export const experiments = pgTable(
  'experiments',
  {
    id: text().primaryKey(),
    runId: text()
      .notNull()
      .references(() => runs.id),
    candidateId: bigint({ mode: 'number' })
      .notNull()
      .references(() => candidates.id),
    strategy: text({ enum: strategies }).notNull(),
    role: text({ enum: experimentRoles }).notNull(),
    stage: text({ enum: experimentStages }).notNull().default('waiting'),
    status: text({ enum: experimentStatuses }).notNull().default('pending'),
    serving: jsonb().$type<ServingSpec>(),
    trainSeconds: doublePrecision(),
    failureStage: text({ enum: experimentStages }),
    failureReason: text(),
    /** How its answers fared against the workload's guardrails; null without any. `json`: rules keep their order. */
    safety: json().$type<SafetyReport>(),
    createdAt: createdAt(),
    endedAt: at(),
  },
  (t) => [
    index('experiments_run').on(t.runId),
    oneOf('experiments_strategy', t.strategy, strategies),
    oneOf('experiments_role', t.role, experimentRoles),
    oneOf('experiments_stage', t.stage, experimentStages),
    oneOf('experiments_status', t.status, experimentStatuses),
  ],
);

/** Hyperparameters as they were asked for; `setAside`: the rows that they could not be used on. */
export type JobSettings = Readonly<Record<string, unknown>> & { readonly setAside?: SetAsideSummary };

/** Work inside a trainer. */
export const jobs = pgTable(
  'jobs',
  {
    id: text().primaryKey(),
    provider: text().notNull(),
    /**
     * Idempotency key: what makes a retry find this job instead of paying for another. Not unique: a service that
     * knows no such keys may have made two jobs of one, and which of them counts changes while they go on.
     */
    key: text().notNull(),
    experimentId: text()
      .notNull()
      .references(() => experiments.id),
    datasetId: text()
      .notNull()
      .references(() => datasets.id),
    status: text({ enum: jobStatuses }).notNull(),
    hyperparameters: jsonb().$type<JobSettings>(),
    step: integer(),
    totalSteps: integer(),
    trainLoss: doublePrecision(),
    validationLoss: doublePrecision(),
    error: text(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (t) => [index('jobs_experiment').on(t.experimentId), oneOf('jobs_status', t.status, jobStatuses)],
);

/** LoRA weights that a job made; `model` is the id under which the provider serves them. */
export const adapters = pgTable(
  'adapters',
  {
    provider: text().notNull(),
    model: text().notNull(),
    baseModel: text().notNull(),
    jobId: text()
      .notNull()
      .references(() => jobs.id),
    experimentId: text()
      .notNull()
      .references(() => experiments.id),
    datasetId: text()
      .notNull()
      .references(() => datasets.id),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.provider, t.model] }), index('adapters_experiment').on(t.experimentId)],
);

export const evaluations = pgTable(
  'evaluations',
  {
    id: text().primaryKey(),
    experimentId: text()
      .notNull()
      .references(() => experiments.id),
    datasetId: text()
      .notNull()
      .references(() => datasets.id),
    serving: jsonb().$type<ServingSpec>().notNull(),
    total: integer().notNull(),
    n: integer(),
    failed: integer(),
    failures: jsonb().$type<Record<string, number>>(),
    /** `json`, not `jsonb`: the primary metric comes first, and only text keeps the order of keys. */
    metrics: json().$type<Record<string, number>>(),
    latencyP50Ms: doublePrecision(),
    latencyP95Ms: doublePrecision(),
    /** Of how many answers, where not every one was timed. */
    latencyOf: integer(),
    promptTokens: bigint({ mode: 'number' }),
    completionTokens: bigint({ mode: 'number' }),
    /** What the workload's judge thought of it; null without one. */
    judge: jsonb().$type<JudgeSummary>(),
    createdAt: createdAt(),
    closedAt: at(),
  },
  (t) => [index('evaluations_experiment').on(t.experimentId)],
);

/** One asked item. Stored once, never asked for again. */
export const evaluationItems = pgTable(
  'evaluation_items',
  {
    evaluationId: text()
      .notNull()
      .references(() => evaluations.id),
    itemId: text().notNull(),
    recordId: text().notNull(),
    /** Verbatim, hence `json`. */
    response: json().$type<Json>(),
    failure: text(),
    failureDetail: text(),
    scores: json().$type<Record<string, number>>().notNull(),
    latencyMs: doublePrecision(),
    promptTokens: integer(),
    completionTokens: integer(),
    storedAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.evaluationId, t.itemId] }),
    index('evaluation_items_record').on(t.recordId),
  ],
);
