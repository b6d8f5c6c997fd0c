import type { EvaluationJobRequest, Evaluator } from '../../activities/ports/evaluator.ts';
import { tidied } from '../http/errors.ts';
import { sharedByKey } from '../http/shared-by-key.ts';
import { EvaluationJobs } from './evaluation-jobs.ts';
import { toItem, toSpec } from './evaluation-spec.ts';
import { ScoredRow } from './evaluations.schema.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport } from './transport.ts';

/**
 * The platform's evaluator: items become a fileset, a job asks and scores them by tool calling (rows whose target
 * is calls) or string check (text). A score that came out NaN is null.
 */
export function createEvaluator(settings: NemoPlatformSettings): Evaluator {
  const jobs = new EvaluationJobs(settings, createTransport(settings), 'eval');
  return {
    findAll: (key) => jobs.findAll(key),
    launch: sharedByKey(({ key, metadata, model, rows }: EvaluationJobRequest) =>
      jobs.launch({ key, metadata, model, items: rows.map(toItem), spec: toSpec }),
    ),
    get: (jobId) => jobs.get(jobId),
    async *results(jobId) {
      // A row's error is in the words of the model's server, which may quote its key.
      for await (const row of jobs.rows(jobId, ScoredRow)) yield tidied(row, settings.apiKey);
    },
    cancel: (jobId) => jobs.cancel(jobId),
  };
}
