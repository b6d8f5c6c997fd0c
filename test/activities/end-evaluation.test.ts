import { expect, test } from 'vitest';
import { createEndEvaluation } from '../../activities/end-evaluation.ts';
import { judgingKey, remoteEvaluationKey } from '../../activities/idempotency-keys.ts';
import type { EvaluationJob } from '../../activities/ports/evaluator.ts';
import { UnavailableError } from '../../domain/errors.ts';
import { defaultRubric } from '../../domain/judging/judge.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { inMemoryEvaluations } from '../support/in-memory-lineage.ts';

const judge = { provider: 'judges', model: 'large', rubric: defaultRubric };
const input = { experimentId: 'run-1/nano/lora', runId: 'run-1', judge };
const evaluation = { runId: 'run-1', evaluationId: 'eval-1' };

/** A service with jobs under keys; a cancelled one ends unless it is stuck. */
class ScriptedJobs {
  readonly jobs = new Map<string, EvaluationJob[]>();
  readonly stuck = new Set<string>();
  isAway = false;

  add(key: string, id: string, status: EvaluationJob['status'] = 'running'): void {
    const job = { id, status, error: null, errorRetryable: false };
    this.jobs.set(key, [...(this.jobs.get(key) ?? []), job]);
  }
  statuses(): Record<string, string> {
    return Object.fromEntries([...this.jobs.values()].flat().map(({ id, status }) => [id, status]));
  }
  async findAll(key: string) {
    if (this.isAway) throw new UnavailableError('gone for a moment');
    return this.jobs.get(key) ?? [];
  }
  async get(id: string): Promise<EvaluationJob> {
    const found = [...this.jobs.values()].flat().find((job) => job.id === id);
    if (!found) throw new Error(`no job ${id}`);
    return found;
  }
  async cancel(id: string) {
    if (!this.stuck.has(id)) Object.assign(await this.get(id), { status: 'cancelled' });
  }
  launch(): never {
    throw new Error('nothing is launched here');
  }
  results(): never {
    throw new Error('nothing is read here');
  }
}

async function setup({ asks = true } = {}) {
  const [evaluator, judging] = [new ScriptedJobs(), new ScriptedJobs()];
  const evaluations = inMemoryEvaluations();
  const serving = { provider: 'nemo', model: 'nano-1m', fewShotUri: null, maxTokens: 64 };
  const opened = { datasetId: 'data-1', serving, total: 3 };
  await evaluations.open({ ...opened, evaluationId: 'eval-1', experimentId: input.experimentId });
  await evaluations.open({ ...opened, evaluationId: 'eval-2', experimentId: 'run-1/nano/base' });
  const asked: string[] = [];
  const by = (jobs: ScriptedJobs) => (provider: string) => {
    asked.push(provider);
    return asks ? jobs : null;
  };
  const { endEvaluation } = createEndEvaluation(
    { evaluators: by(evaluator), judgeServices: by(judging), lineage: { evaluations } },
    { pollMs: 1, endMs: 40 },
  );
  return { evaluator, judging, asked, endEvaluation: () => runIn(anAttempt(), endEvaluation, input) };
}

test('jobs that no attempt lives to end are found by their keys, each round and each surplus one, and ended', async () => {
  const { evaluator, judging, asked, endEvaluation } = await setup();
  evaluator.add(remoteEvaluationKey(evaluation, 1), 'lost', 'failed');
  evaluator.add(remoteEvaluationKey(evaluation, 2), 'again');
  evaluator.add(remoteEvaluationKey(evaluation, 2), 'surplus', 'queued');
  evaluator.add(remoteEvaluationKey({ ...evaluation, evaluationId: 'eval-2' }, 1), 'another experiment');
  judging.add(judgingKey({ ...evaluation, judge }, 1), 'judged');
  judging.add(judgingKey({ ...evaluation, judge: { ...judge, model: 'other' } }, 1), 'another judge');

  expect(await endEvaluation()).toEqual({ ended: 3 });

  expect(evaluator.statuses()).toEqual({
    ...{ lost: 'failed', again: 'cancelled', surplus: 'cancelled' },
    'another experiment': 'running',
  });
  expect(judging.statuses()).toEqual({ judged: 'cancelled', 'another judge': 'running' });
  expect(asked).toEqual(['nemo', 'judges']);
  expect(await endEvaluation()).toEqual({ ended: 0 });
});

test('a service that is away keeps no other from ending its jobs, and is asked again by the next attempt', async () => {
  const { evaluator, judging, endEvaluation } = await setup();
  evaluator.add(remoteEvaluationKey(evaluation, 1), 'asking');
  judging.add(judgingKey({ ...evaluation, judge }, 1), 'judging');
  evaluator.isAway = true;

  await expect(endEvaluation()).rejects.toThrow('gone for a moment');
  expect(judging.statuses()).toEqual({ judging: 'cancelled' });

  evaluator.isAway = false;
  expect(await endEvaluation()).toEqual({ ended: 1 });
});

test('a job that does not end is told by its id; the one beside it ends', async () => {
  const { evaluator, endEvaluation } = await setup();
  evaluator.add(remoteEvaluationKey(evaluation, 1), 'stuck');
  evaluator.add(remoteEvaluationKey(evaluation, 1), 'surplus');
  evaluator.stuck.add('stuck');

  await expect(endEvaluation()).rejects.toThrow(/cancellation: stuck\.$/);

  expect(evaluator.statuses()).toEqual({ stuck: 'running', surplus: 'cancelled' });
});

test('where Flywheel itself asks and judges there is nothing to end', async () => {
  const { endEvaluation } = await setup({ asks: false });

  expect(await endEvaluation()).toEqual({ ended: 0 });
});
