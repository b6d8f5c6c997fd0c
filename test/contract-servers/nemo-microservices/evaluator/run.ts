import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { isJsonObject, type JsonObject } from '../../../../domain/json.ts';
import { filesAt } from '../data-store/repos.ts';
import { text } from '../text.ts';
import type { World } from '../world.ts';
import { type EvaluationJob, type Sample, setEvaluationStatus } from './job.ts';
import { score } from './metrics.ts';
import { keepOutput, toResult } from './results.ts';
import { complete, EndpointError, textOf, toEndpoint } from './target.ts';
import { render, type TemplateScope, toItem } from './template.ts';

/** Runs every task of a custom evaluation: asks the target, scores what it says. */
export async function runEvaluation(world: World, job: EvaluationJob, nimUrl: string): Promise<void> {
  const signal = AbortSignal.any([job.stop.signal, world.closed]);
  try {
    await pause(world.options.stageMs, undefined, { signal });
    if (!world.options.forBlueprint) setEvaluationStatus(job, 'pending');
    do await pause(world.options.stageMs, undefined, { signal });
    while (world.faults.noNodeFree);
    const tasks = Object.entries((job.config['tasks'] ?? {}) as Record<string, JsonObject>);
    const rows = new Map(tasks.map(([name, task]) => [name, readTaskRows(world, job, task)]));
    const total = [...rows.values()].reduce((sum, some) => sum + some.length, 0);
    setEvaluationStatus(job, 'running', { progress: 0 });
    let done = 0;
    for (const [name, task] of tasks) {
      job.samples.set(name, []);
      const limit = pLimit(Number((job.config['params'] as JsonObject | null)?.['parallelism'] ?? 8));
      const asked = (rows.get(name) ?? []).map((item) =>
        limit(async () => {
          signal.throwIfAborted();
          const sample = await ask(job, task, item, nimUrl, signal);
          job.samples.get(name)?.push(sample);
          done += 1;
          setEvaluationStatus(job, 'running', { progress: (done / total) * 100 });
        }),
      );
      await Promise.all(asked);
      const { task_status: before } = job.entity['status_details'] as JsonObject;
      setEvaluationStatus(job, 'running', {
        task_status: { ...(before as JsonObject), [name]: 'completed' },
      });
    }
    while (world.faults.unending.has('evaluation')) {
      await pause(world.options.stageMs, undefined, { signal });
    }
    job.result = toResult(job);
    Object.assign(job.entity, {
      result: job.result['id'],
      output_files_url: keepOutput(world.dataStore, job),
    });
    setEvaluationStatus(job, 'completed', { message: 'Job completed successfully.', progress: 100 });
  } catch (error) {
    if (world.closed.aborted) return;
    if (job.stop.signal.aborted) return setEvaluationStatus(job, 'cancelled');
    setEvaluationStatus(job, 'failed', { message: error instanceof Error ? error.message : String(error) });
  }
}

function readTaskRows(world: World, job: EvaluationJob, task: JsonObject): JsonObject[] {
  const { dataset = null } = task;
  if (job.target['type'] === 'rows') return (job.target['rows'] as JsonObject[]).map(toItem);
  const url = isJsonObject(dataset)
    ? text(dataset['files_url'])
    : text(world.tables.datasets.get(text(dataset))?.['files_url']);
  const files = filesAt(world.dataStore, url);
  if (!files || files.size === 0) throw new Error(`no files at ${url}`);
  const content = [...files.values()].map(({ bytes }) => bytes.toString('utf8')).join('');
  const rows = content.trimStart().startsWith('[')
    ? (JSON.parse(content) as JsonObject[])
    : content
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => JSON.parse(line) as JsonObject);
  const limit = isJsonObject(dataset) ? Number(dataset['limit'] ?? rows.length) : rows.length;
  return rows.slice(0, limit).map(toItem);
}

/** A row that the target refuses has no scores; the others are not its business. */
async function ask(
  job: EvaluationJob,
  task: JsonObject,
  item: JsonObject,
  nimUrl: string,
  signal: AbortSignal,
): Promise<Sample> {
  const params = (task['params'] ?? {}) as JsonObject;
  let scope: TemplateScope = { item };
  try {
    if (task['type'] !== 'data') {
      const body = render(params['template'] ?? {}, scope) as JsonObject;
      const response = await complete(toEndpoint(job.target['model'] ?? null, nimUrl), body, signal);
      scope = { item, sample: { output_text: textOf(response), response } };
    }
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error;
    return { item, sample: { output_text: '', response: null, error: error.message }, metrics: {} };
  }
  const metrics: Record<string, { scores: Record<string, { value: number }> }> = {};
  for (const [name, metric] of Object.entries((task['metrics'] ?? {}) as Record<string, JsonObject>)) {
    const scores = await score(metric, scope, async (model, body) =>
      textOf(await complete(toEndpoint(model, nimUrl), body, signal)),
    );
    metrics[name] = {
      scores: Object.fromEntries(Object.entries(scores).map(([key, value]) => [key, { value }])),
    };
  }
  return { item, sample: scope.sample ?? { output_text: '', response: null }, metrics };
}
