import { CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { createEvaluate } from '../../activities/evaluate.ts';
import type {
  EvaluatedRow,
  EvaluationJob,
  EvaluationJobRequest,
  Evaluator,
} from '../../activities/ports/evaluator.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { openFewShots } from '../../wiring/open-few-shots.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { aDataset, anExample } from '../support/experiments.ts';
import { inMemoryArtifacts } from '../support/in-memory-artifacts.ts';
import { inMemoryDatasets, inMemoryEvaluations } from '../support/in-memory-lineage.ts';

type Answer = (row: EvaluationJobRequest['rows'][number], at: number) => EvaluatedRow | null;

/** An evaluator whose jobs end at the second look; a test says how, and what the rows came to. */
class ScriptedEvaluator implements Evaluator {
  readonly launched: EvaluationJobRequest[] = [];
  readonly cancelled: string[] = [];
  looks = 0;
  ends: Partial<EvaluationJob>[] = [];
  unreachable = 0;
  onLook: (() => void) | null = null;
  answer: Answer = (row) => answered(row.itemId, rightCall);

  async find(key: string) {
    const at = this.launched.findIndex((one) => one.key === key);
    return at < 0 ? null : this.job(at, 'running');
  }
  async launch(request: EvaluationJobRequest) {
    const found = await this.find(request.key);
    if (found) return found;
    return this.job(this.launched.push(request) - 1, 'queued');
  }
  async get(id: string): Promise<EvaluationJob> {
    this.onLook?.();
    if (this.unreachable-- > 0) throw new UnavailableError('gone for a moment');
    this.looks += 1;
    const at = Number(id);
    return this.looks < 2 ? this.job(at, 'running') : { ...this.job(at, 'succeeded'), ...this.ends[at] };
  }
  async *results(id: string) {
    const { rows } = this.launched[Number(id)] as EvaluationJobRequest;
    for (const [at, row] of rows.entries()) {
      const result = this.answer(row, at);
      if (result) yield result;
    }
  }
  async cancel(id: string) {
    this.cancelled.push(id);
  }
  private job(at: number, status: EvaluationJob['status']): EvaluationJob {
    return { id: String(at), status, error: null, errorRetryable: false };
  }
}

const call = { id: 'call_1', type: 'function', function: { name: 'pto_balance', arguments: '{}' } };
const rightCall: JsonObject = {
  choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [call] } }],
  usage: { prompt_tokens: 20, completion_tokens: 5 },
};

function answered(itemId: string, response: JsonObject | null, accuracy: number | null = 1): EvaluatedRow {
  return { itemId, response, error: response ? null : 'upstream said 500', metrics: { accuracy } };
}

async function setup(items = 4) {
  const examples = Array.from({ length: items }, (_, n) => anExample(n));
  const artifacts = inMemoryArtifacts();
  const evalFile = await artifacts.putLines(examples.map((example) => JSON.stringify(example)));
  const evaluations = inMemoryEvaluations();
  const evaluator = new ScriptedEvaluator();
  const ports = {
    artifacts,
    lineage: { datasets: inMemoryDatasets(aDataset({ files: { eval: evalFile } })), evaluations },
    chatModels: () => expect.fail('the evaluator asks'),
    evaluators: () => evaluator,
    fewShots: openFewShots(artifacts, () => expect.fail('nothing is embedded')),
  };
  const settings = { concurrency: 2, itemTimeoutMs: 1_000, remote: { pollMs: 1, silenceMs: 50 } };
  const { evaluate } = createEvaluate(ports, settings);
  const input = {
    ...{ experimentId: 'run-1/nano/base', runId: 'run-1', datasetId: 'data-1' },
    serving: { provider: 'nemo', model: 'nano-1m', fewShotUri: null, maxTokens: 64 },
  };
  const run = (environment = anAttempt()) => runIn(environment, evaluate, input);
  return { run, evaluator, evaluations, examples };
}

test('the job asks what the route would be sent, and its answers are scored by our rules', async () => {
  const { run, evaluator, examples } = await setup();

  const summary = await run();

  expect(summary).toMatchObject({
    ...{ n: 4, failed: 0, latencyMs: null },
    metrics: { call_accuracy: 1, 'evaluator/accuracy': 1, 'evaluator/missing': 0 },
    tokens: { prompt: 80, completion: 20 },
  });
  const [job] = evaluator.launched;
  expect(job?.key).toMatch(/^run-1-eval-/);
  expect(job?.rows.map(({ itemId }) => itemId)).toEqual(examples.map(({ recordId }) => recordId));
  expect(job?.rows[0]?.body).toMatchObject({ temperature: 0, max_completion_tokens: 64 });
  expect(job?.rows[0]?.target).toMatchObject({ role: 'assistant' });
});

test('a lost row, a row without an answer and a metric that is NaN are counted, each as nothing right', async () => {
  const { run, evaluator } = await setup();
  evaluator.answer = ({ itemId }, at) =>
    [null, answered(itemId, null), answered(itemId, rightCall, null), answered(itemId, rightCall)][at] ??
    null;

  const summary = await run();

  expect(summary).toMatchObject({
    ...{ n: 4, failed: 2, failures: { provider_error: 2 } },
    metrics: { call_accuracy: 0.5, 'evaluator/accuracy': 0.5, 'evaluator/missing': 0.5 },
  });
});

test('repeated, it adopts the job, and once the answers are stored it asks for none', async () => {
  const { run, evaluator } = await setup();

  const first = await run();
  const second = await run();

  expect(second).toEqual(first);
  expect(evaluator.launched).toHaveLength(1);
});

test('a job that the evaluator lost is made once more', async () => {
  const { run, evaluator } = await setup();
  evaluator.ends = [{ status: 'failed', errorRetryable: true, error: 'orphaned by a restart' }];

  await run();

  expect(evaluator.launched.map(({ key }) => key)).toEqual([
    expect.not.stringMatching(/-2$/),
    expect.stringMatching(/-2$/),
  ]);
});

test('a job that fails says why', async () => {
  const { run, evaluator } = await setup();
  evaluator.ends = [{ status: 'failed', error: 'no such model' }];

  await expect(run()).rejects.toThrow(new RejectedError('Evaluation job 0 failed: no such model.'));
});

test('an evaluator that is gone for a moment is waited for, one that stays away is Temporal’s to wait for', async () => {
  const { run, evaluator } = await setup();
  evaluator.unreachable = 3;
  await expect(run()).resolves.toMatchObject({ n: 4 });

  const { run: again, evaluator: gone } = await setup();
  gone.unreachable = 1_000_000;
  await expect(again()).rejects.toThrow(UnavailableError);
});

test('a cancellation ends the job', async () => {
  const environment = anAttempt();
  const { run, evaluator } = await setup();
  evaluator.ends = [{ status: 'running' }];
  evaluator.onLook = () => environment.cancel('CANCELLED');

  await expect(run(environment)).rejects.toBeInstanceOf(CancelledFailure);

  expect(evaluator.cancelled).toEqual(['0']);
});
