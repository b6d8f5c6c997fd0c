import { z } from 'zod';
import { strategies } from '../domain/experiments/experiment.ts';
import { metricNames } from '../domain/experiments/score.ts';
import { mostPatterns, patternProblem } from '../domain/guardrails/rules.ts';
import { isPlainId, plainIdRule } from '../domain/ids.ts';
import { defaultRubric } from '../domain/judging/judge.ts';
import { redactionKinds } from '../domain/policies/policy.ts';
import { isTimezone, parseTimeOfDay, parseWeekly } from '../domain/schedules/times.ts';
import { PriceEntry } from './price-schema.ts';

const regularExpression = z
  .string()
  .min(1)
  .superRefine((pattern, context) => {
    try {
      RegExp(pattern, 'gu');
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    }
  });

/** Matched while somebody waits, on whatever anybody sends: hence RE2's, which takes no text long. */
const guardrailPattern = z
  .string()
  .min(1)
  .superRefine((pattern, context) => {
    const problem = patternProblem(pattern);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

const patternName = z.string().regex(/^[a-z][a-z0-9_]*$/, 'must be a name such as employee_id');

const guardrailPatterns = z
  .record(patternName, guardrailPattern)
  .refine(
    (patterns) => Object.keys(patterns).length <= mostPatterns,
    `has more than ${mostPatterns} patterns; join some by |`,
  )
  .optional();

const Guardrails = z.strictObject({
  questions: guardrailPatterns,
  answers: guardrailPatterns,
  provider: z.string().min(1).nullish(),
  safety_set: z.string().min(1).nullish(),
  min_pass: z.number().min(0).max(1).optional(),
  enforce: z.boolean().optional(),
});

const Schedule = z.strictObject({
  daily: z
    .string()
    .refine((text) => parseTimeOfDay(text) !== null, 'must be a time such as 02:00')
    .nullish(),
  weekly: z
    .string()
    .refine((text) => parseWeekly(text) !== null, 'must be a day and a time such as sun 03:00')
    .nullish(),
  timezone: z.string().refine(isTimezone, 'must be an IANA time zone such as Europe/Berlin').optional(),
  min_new_records: z.number().int().min(1).optional(),
  volume: z.number().int().min(1).nullish(),
});

/** One policy as the file has it: what is left out comes from the default. */
export const PolicyEntry = z.strictObject({
  primary_metric: z.enum(['auto', ...metricNames]).optional(),
  threshold: z.number().min(0).max(1).optional(),
  budgets: z
    .strictObject({
      cost_per_1k_calls_usd: z.number().gt(0).nullish(),
      latency_p95_ms: z.number().gt(0).nullish(),
    })
    .optional(),
  prices: z.record(z.string(), PriceEntry).optional(),
  kpi: z.string().min(1).nullish(),
  candidates: z.array(z.string()).min(1).nullish(),
  strategies: z.array(z.enum(strategies)).min(1).nullish(),
  judge: z
    .strictObject({
      provider: z.string().min(1),
      model: z.string().min(1),
      rubric: z.string().trim().min(1).default(defaultRubric),
    })
    .nullish(),
  approvers: z.array(z.string().trim().min(1)).optional(),
  schedule: Schedule.optional(),
  redaction: z
    .strictObject({
      kinds: z.array(z.enum(redactionKinds)).optional(),
      patterns: z.record(patternName, regularExpression).optional(),
    })
    .optional(),
  guardrails: Guardrails.nullish(),
});
export type PolicyEntry = z.infer<typeof PolicyEntry>;

/** The shape of `workloads.yaml`, in the file's own (snake_case) words. */
export const WorkloadsFile = z.strictObject({
  default: PolicyEntry.prefault({}),
  workloads: z
    .record(z.string().refine(isPlainId, `A workload id must be ${plainIdRule}.`), PolicyEntry)
    .default({}),
});
export type WorkloadsFile = z.infer<typeof WorkloadsFile>;
