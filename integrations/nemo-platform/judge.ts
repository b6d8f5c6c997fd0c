import type { JudgeJobs, JudgingRequest } from '../../activities/ports/judge-jobs.ts';
import type { JsonObject } from '../../domain/json.ts';
import { judgementSchema } from '../../domain/judging/judge-request.ts';
import { sharedByKey } from '../http/shared-by-key.ts';
import { EvaluationJobs, type JobPlaces } from './evaluation-jobs.ts';
import { inlineMetric } from './evaluation-spec.ts';
import { JudgedRow } from './judgements.schema.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport } from './transport.ts';

/**
 * The platform's LLM judge: one job per evaluation that asks a model of its gateway about stored answers. The
 * judge's key is the platform's own, a secret that its provider refers to; we never have it.
 */
export function createJudgeJobs(settings: NemoPlatformSettings): JudgeJobs {
  const jobs = new EvaluationJobs(settings, createTransport(settings), 'judge');
  return {
    findAll: (key) => jobs.findAll(key),
    launch: sharedByKey(({ key, metadata, model, answers }: JudgingRequest) => {
      const items = answers.map(({ itemId, body }) => ({ item_id: itemId, body: withMaxTokens(body) }));
      return jobs.launch({ key, metadata, model, items, spec: toJudgeSpec });
    }),
    get: (jobId) => jobs.get(jobId),
    results: (jobId) => jobs.rows(jobId, JudgedRow),
    cancel: (jobId) => jobs.cancel(jobId),
  };
}

/** Without the older name of the limit the evaluator adds one of its own beside the newer. */
function withMaxTokens({ max_completion_tokens: limit, ...body }: JsonObject): JsonObject {
  return limit === undefined ? body : { ...body, max_tokens: limit };
}

/** Scores what is there: no target is asked. */
function toJudgeSpec({ dataset, gatewayUrl, model }: JobPlaces) {
  return {
    dataset,
    params: { parallelism: 2 },
    metrics: [
      inlineMetric('llm-judge', ['score'], {
        model: { url: gatewayUrl, name: model, format: 'openai' },
        scores: [{ name: 'score', minimum: 0.0, maximum: 1.0, parser: { type: 'json', json_path: 'score' } }],
        structured_output: { name: 'judgement', strict: true, schema: judgementSchema },
        // One bare expression keeps the body's own types, and does not read templates inside of it.
        prompt_template: '{{ item.body }}',
        // A judge that fails leaves a NaN, which is counted.
        ignore_request_failure: true,
      }),
    ],
  };
}
