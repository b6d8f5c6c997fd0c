import { strToU8, zipSync } from 'fflate';
import type { JsonObject } from '../../../../domain/json.ts';
import { type DataStore, newCommit, newRepo, regularFile } from '../data-store/repos.ts';
import { newId } from '../entity.ts';
import { text } from '../text.ts';
import type { EvaluationJob, Sample } from './job.ts';

/** Scores over all samples, by task, metric and score. What is not a number is counted and left out. */
export function toResult(job: EvaluationJob): JsonObject {
  const { created_at, updated_at, namespace = 'default', id = '' } = job.entity;
  return {
    id: newId('evaluation_result'),
    job: id,
    namespace,
    created_at: created_at ?? null,
    updated_at: updated_at ?? null,
    custom_fields: {},
    groups: {},
    tasks: Object.fromEntries(
      [...job.samples].map(([task, samples]) => [task, { metrics: metricsOf(samples) }]),
    ),
  };
}

function metricsOf(samples: readonly Sample[]): JsonObject {
  const values: Record<string, Record<string, number[]>> = {};
  for (const { metrics } of samples) {
    for (const [metric, { scores }] of Object.entries(metrics)) {
      for (const [name, { value }] of Object.entries(scores)) {
        ((values[metric] ??= {})[name] ??= []).push(value);
      }
    }
  }
  return Object.fromEntries(
    Object.entries(values).map(([metric, scores]) => [
      metric,
      { scores: Object.fromEntries(Object.entries(scores).map(([name, all]) => [name, summary(all)])) },
    ]),
  );
}

function summary(values: readonly number[]): JsonObject {
  const numbers = values.filter((value) => !Number.isNaN(value));
  const sum = numbers.reduce((total, value) => total + value, 0);
  const mean = numbers.length > 0 ? sum / numbers.length : 0;
  return {
    value: mean,
    stats: { count: numbers.length, sum, mean, nan_count: values.length - numbers.length },
  };
}

/** The archive of a job. Its `results.json` is written by Python: what is not a number stands there as `NaN`. */
export function toArchive(job: EvaluationJob): Uint8Array {
  return zipSync({
    'results.json': strToU8(samplesFile(job)),
    'config.json': strToU8(JSON.stringify(job.entity['config'])),
  });
}

/** Keeps the samples as a dataset in a namespace of the service's own, which outlives the job; its `files_url`. */
export function keepOutput(store: DataStore, job: EvaluationJob): string {
  const id = `evaluation-results/${text(job.entity['id'])}`;
  const repo = newRepo('dataset', id);
  const files = new Map([['results.json', regularFile(Buffer.from(samplesFile(job)))]]);
  repo.revisions.set('main', { commit: newCommit(), files });
  store.repos.set(`dataset:${id}`, repo);
  return `hf://datasets/${id}`;
}

function samplesFile(job: EvaluationJob): string {
  return pythonJson(Object.fromEntries(job.samples));
}

function pythonJson(value: unknown): string {
  if (typeof value === 'number' && Number.isNaN(value)) return 'NaN';
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([key, inner]) => `${JSON.stringify(key)}: ${pythonJson(inner)}`)
    .join(', ')}}`;
}
