import { setTimeout as pause } from 'node:timers/promises';
import type { Hono } from 'hono';
import { z } from 'zod';
import type { JsonObject } from '../../../../domain/json.ts';
import { type Kind, mountCrud } from '../crud.ts';
import { redacted, withoutNulls } from '../entity.ts';
import { listReply } from '../listing.ts';
import type { Nims } from '../nim/nims.ts';
import { deleted, fail, missing, readBody } from '../replies.ts';
import { text } from '../text.ts';
import type { World } from '../world.ts';
import {
  CreateEvaluation,
  type EvaluationJob,
  endedEvaluation,
  newEvaluation,
  setEvaluationStatus,
} from './job.ts';
import { toArchive } from './results.ts';
import { runEvaluation } from './run.ts';

const named = { type: z.string(), name: z.string().optional(), namespace: z.string().optional() };

/** Evaluator: configs, targets, jobs and their results. Configs and targets come back without null fields. */
export function mountEvaluator(app: Hono, world: World, nims: Nims, nimUrl: () => string): void {
  const kinds = [
    ['configs', 'eval-config', world.tables.evaluationConfigs],
    ['targets', 'eval-target', world.tables.evaluationTargets],
  ] as const;
  for (const [plural, idPrefix, table] of kinds) {
    mountCrud(app, {
      title: `Evaluation ${plural.slice(0, -1)}`,
      path: `/v1/evaluation/${plural}`,
      idPrefix,
      table,
      create: z.looseObject(named) as unknown as Kind['create'],
      show: (entity) => withoutNulls(entity) as JsonObject,
    });
  }
  mountJobs(app, world, nims, nimUrl);
}

function mountJobs(app: Hono, world: World, nims: Nims, nimUrl: () => string): void {
  const jobs = new Map<string, EvaluationJob>();
  const path = '/v1/evaluation/jobs';
  const find = (id: string): EvaluationJob => {
    const job = jobs.get(id);
    if (!job) throw missing('Evaluation job', id);
    return job;
  };
  const show = (job: EvaluationJob) => redacted(job.entity) as JsonObject;

  app.post(path, async (context) => {
    const job = newEvaluation(world, await readBody(context, CreateEvaluation));
    requireLive(job, nims);
    jobs.set(text(job.entity['id']), job);
    world.run(runEvaluation(world, job, nimUrl()));
    return context.json(show(job), 201);
  });
  app.get(path, (context) => context.json(listReply(context, [...jobs.values()].map(show))));
  app.get(`${path}/:id`, (context) => context.json(show(find(context.req.param('id')))));
  app.delete(`${path}/:id`, (context) => {
    const job = find(context.req.param('id'));
    job.stop.abort();
    jobs.delete(context.req.param('id'));
    return context.body(null, 204);
  });
  app.get(`${path}/:id/status`, (context) =>
    context.json(find(context.req.param('id')).entity['status_details'] as JsonObject),
  );
  app.post(`${path}/:id/cancel`, (context) => {
    const job = find(context.req.param('id'));
    if (endedEvaluation.has(job.entity.status)) {
      throw fail(409, `Job ${text(job.entity['id'])} has already ended: ${job.entity.status}`);
    }
    setEvaluationStatus(job, 'cancelling');
    world.run(stopLater(world, job));
    return context.json(show(job));
  });
  const resultOf = (id: string): JsonObject => {
    const { result } = find(id);
    if (!result) throw missing('Result of evaluation job', id);
    return result;
  };
  app.get(`${path}/:id/results`, (context) => context.json(resultOf(context.req.param('id'))));
  app.get(`${path}/:id/download-results`, (context) => {
    const job = find(context.req.param('id'));
    if (!job.result) throw missing('Result of evaluation job', context.req.param('id'));
    return new Response(new Uint8Array(toArchive(job)), { headers: { 'content-type': 'application/zip' } });
  });
  app.get('/v1/evaluation/results', (context) => {
    const results = [...jobs.values()].flatMap(({ result }) => (result ? [result] : []));
    const filters = { job_id: (result: JsonObject, wanted: string) => result['job'] === wanted };
    return context.json(listReply(context, results, filters));
  });
  const byResult = (id: string) => [...jobs.values()].find(({ result }) => result?.['id'] === id);
  app.get('/v1/evaluation/results/:id', (context) => {
    const found = byResult(context.req.param('id'))?.result;
    if (!found) throw missing('Evaluation result', context.req.param('id'));
    return context.json(found);
  });
  app.delete('/v1/evaluation/results/:id', (context) => {
    const job = byResult(context.req.param('id'));
    if (!job) throw missing('Evaluation result', context.req.param('id'));
    job.result = null;
    return context.json(deleted(context.req.param('id')));
  });
}

/** A poller sees `cancelling` for a while. */
async function stopLater({ options, faults, closed }: World, job: EvaluationJob): Promise<void> {
  do await pause(options.cancelMs, undefined, { signal: closed });
  while (faults.slowToCancel);
  job.stop.abort();
}

/** The service asks a model target something first, so one that does not answer fails the create. */
function requireLive(job: EvaluationJob, nims: Nims): void {
  const { model } = job.target;
  if (job.target['type'] !== 'model' || typeof model !== 'string' || nims.find(model)) return;
  throw fail(400, `Target model ${model} is not reachable`);
}
