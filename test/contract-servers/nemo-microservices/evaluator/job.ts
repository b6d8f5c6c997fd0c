import { z } from 'zod';
import { isJsonObject, type Json, type JsonObject } from '../../../../domain/json.ts';
import { newEntity, newId, timestamp } from '../entity.ts';
import { fail } from '../replies.ts';
import { text } from '../text.ts';
import type { World } from '../world.ts';

const reference = z.union([z.string(), z.looseObject({ type: z.string() })]);
export const CreateEvaluation = z.looseObject({ config: reference, target: reference });

export interface Sample {
  readonly item: JsonObject;
  readonly sample: { readonly output_text: string; readonly response: Json; readonly error?: string };
  readonly metrics: Readonly<Record<string, { scores: Record<string, { value: number }> }>>;
}

export interface EvaluationJob {
  readonly entity: JsonObject & { status: string };
  /** With the secrets that are not shown. */
  readonly config: JsonObject;
  readonly target: JsonObject;
  readonly stop: AbortController;
  /** By task. */
  readonly samples: Map<string, Sample[]>;
  result: JsonObject | null;
}

export const endedEvaluation: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

/** The job as created: both halves expanded into entities with names of their own. */
export function newEvaluation(world: World, request: z.output<typeof CreateEvaluation>): EvaluationJob {
  const config = expand(world.tables.evaluationConfigs, 'eval-config', request.config as Json);
  const target = expand(world.tables.evaluationTargets, 'eval-target', request.target as Json);
  const now = timestamp();
  const { config: _, target: __, ...rest } = request;
  return {
    entity: {
      namespace: 'default',
      description: null,
      project: null,
      custom_fields: {},
      ownership: null,
      ...(rest as JsonObject),
      id: newId('eval'),
      config,
      target,
      status: 'created',
      status_details: { message: null, task_status: {}, progress: null },
      result: null,
      output_files_url: null,
      created_at: now,
      updated_at: now,
    },
    config,
    target,
    stop: new AbortController(),
    samples: new Map(),
    result: null,
  };
}

function expand(table: Map<string, JsonObject>, prefix: string, given: Json): JsonObject {
  if (isJsonObject(given)) return newEntity(prefix, given);
  const found = table.get(text(given));
  if (found) return found;
  throw fail(404, `${prefix} ${text(given)} not found`);
}

/** A job that is being cancelled goes to no other state than an end. */
export function setEvaluationStatus(job: EvaluationJob, status: string, details: JsonObject = {}): void {
  if (job.entity.status === 'cancelling' && !endedEvaluation.has(status)) return;
  const before = job.entity['status_details'] as JsonObject;
  Object.assign(job.entity, { status, updated_at: timestamp(), status_details: { ...before, ...details } });
}
