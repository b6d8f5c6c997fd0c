import { CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { createEvaluate } from '../../activities/evaluate.ts';
import type { ChatModel, ChatReply } from '../../activities/ports/chat-model.ts';
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

  async findAll(key: string) {
    const at = this.launched.findIndex((one) => one.key === key);
    return at < 0 ? [] : [this.job(at, 'running')];
  }
  async launch(request: EvaluationJobRequest) {
    const [found] = await this.findAll(request.key);
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

async function setup(items = 4, silenceMs = 60_000) {
  const examples = Array.from({ length: items }, (_, n) => anExample(n));
  const artifacts = inMemoryArtifacts();
  const evalFile = await artifacts.putLines(examples.map((example) => JSON.stringify(example)));
  const evaluations = inMemoryEvaluations();
  const evaluator = new ScriptedEvaluator();
  /** Records that were asked at the chat endpoint, and how it answers the nth. */
  const asked: string[] = [];
  const chat: { reply: (nth: number) => ChatReply } = {
    reply: () => ({ response: rightCall, latencyMs: 40 }),
  };
  const chatModel: ChatModel = {
    async complete({ body }) {
      const [message] = body['messages'] as { content: string }[];
      const [, n = 'hello'] = /\((\d+)\)/.exec(message?.content ?? '') ?? [];
      return chat.reply(asked.push(n));
    },
    countTokens: async () => null,
    isServed: async () => true,
  };
  const ports = {
    artifacts,
    lineage: { datasets: inMemoryDatasets(aDataset({ files: { eval: evalFile } })), evaluations },
    chatModels: () => chatModel,
    evaluators: () => evaluator,
    fewShots: openFewShots(artifacts, () => expect.fail('nothing is embedded')),
  };
  const settings = {
    concurrency: 2,
    itemTimeoutMs: 1_000,
    backoffMs: 1,
    remote: { pollMs: 1, silenceMs },
  };
  const { evaluate } = createEvaluate(ports, settings);
  const input = {
    ...{ experimentId: 'run-1/nano/base', runId: 'run-1', datasetId: 'data-1' },
    serving: { provider: 'nemo', model: 'nano-1m', fewShotUri: null, maxTokens: 64 },
  };
  const run = (environment = anAttempt()) => runIn(environment, evaluate, input);
  return { run, evaluator, evaluations, examples, asked, chat };
}

test('the job asks what the route would be sent, and its answers are scored by our rules', async () => {
  const { run, evaluator, examples } = await setup();

  const summary = await run();

  expect(summary).toMatchObject({
    ...{ n: 4, failed: 0 },
    metrics: {
      ...{ call_accuracy: 1, 'evaluator/accuracy': 1 },
      ...{ 'evaluator/missing': 0, 'evaluator/asked_again': 0 },
    },
    tokens: { prompt: 80, completion: 20 },
  });
  const [job] = evaluator.launched;
  expect(job?.key).toMatch(/^run-1-eval-/);
  expect(job?.rows.map(({ itemId }) => itemId)).toEqual(examples.map(({ recordId }) => recordId));
  expect(job?.rows[0]?.body).toMatchObject({ temperature: 0, max_completion_tokens: 64 });
  expect(job?.rows[0]?.target).toMatchObject({ role: 'assistant' });
});

test('a row that was lost and a row without an answer are asked again, and a metric that is NaN is 0', async () => {
  const { run, evaluator, evaluations } = await setup();
  evaluator.answer = ({ itemId }, at) =>
    [null, answered(itemId, null), answered(itemId, rightCall, null), answered(itemId, rightCall)][at] ??
    null;

  const summary = await run();

  expect(summary).toMatchObject({
    ...{ n: 4, failed: 0 },
    metrics: {
      ...{ call_accuracy: 1, 'evaluator/accuracy': 0.5 },
      // Of a row without an answer the evaluator's metric is worth what it says; only a lost one has none.
      ...{ 'evaluator/missing': 0.5, 'evaluator/asked_again': 0.5 },
    },
  });
  expect(evaluations.stored.get('rec_0')?.scores).toMatchObject({ 'evaluator/asked_again': 1 });
});

test('what then has no answer is a failed item, by the rules of every evaluation', async () => {
  const { run, evaluator, chat } = await setup();
  evaluator.answer = ({ itemId }, at) => (at < 2 ? null : answered(itemId, rightCall));
  chat.reply = () => {
    throw new RejectedError('too long', { code: 'context_length_exceeded' });
  };

  expect(await run()).toMatchObject({ n: 4, failed: 2, failures: { too_long: 2 }, latencyMs: null });
});

test('an outage that lasts beyond the job is waited out by Temporal, and counted as nothing', async () => {
  const { run, evaluator, evaluations, asked, chat } = await setup(40);
  evaluator.answer = ({ itemId }, at) => (at % 2 === 0 ? null : answered(itemId, rightCall));
  const reply = chat.reply;
  chat.reply = (nth) => {
    if (nth > 5) throw new UnavailableError('connection refused', { kind: 'unreachable' });
    return reply(nth);
  };

  await expect(run()).rejects.toThrow('connection refused');
  const kept = evaluations.stored.size;
  chat.reply = reply;
  asked.length = 0;
  const summary = await run();

  // The answered rows that are not measured, and what was asked before the outage, were stored at once.
  expect(kept).toBeGreaterThan(5);
  expect(asked).toHaveLength(40 - kept);
  expect(summary).toMatchObject({ n: 40, failed: 0, metrics: { call_accuracy: 1 } });
  expect(summary.metrics['evaluator/asked_again']).toBe(0.5);
  expect(evaluator.launched).toHaveLength(1);
});

test('how long an answer takes is measured on a sample, which is the same for each experiment', async () => {
  const { run, asked } = await setup(100);
  const summary = await run();
  const { run: again, asked: others } = await setup(100);
  await again();

  expect(summary.latencyMs).toEqual({ p50: 40, p95: 40, of: 30 });
  expect(asked).toHaveLength(30);
  expect(others.sort()).toEqual(asked.sort());
});

test('of what the evaluator lost only the sampled count for the latency', async () => {
  const { run, evaluator, asked } = await setup(100);
  evaluator.answer = () => null;

  const summary = await run();

  expect(asked).toHaveLength(100);
  expect(summary.latencyMs).toMatchObject({ of: 30 });
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

  const { run: again, evaluator: gone } = await setup(4, 50);
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
