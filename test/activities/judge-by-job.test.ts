import { cancellationSignal } from '@temporalio/activity';
import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import type { AnswerToJudge, Judge } from '../../activities/judge.ts';
import { judgeByJob } from '../../activities/judge-by-job.ts';
import type { EvaluationJob } from '../../activities/ports/evaluator.ts';
import type { JudgedAnswer, JudgeJobs, JudgingRequest } from '../../activities/ports/judge-jobs.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { defaultRubric, type Judgement } from '../../domain/judging/judge.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { anExample } from '../support/experiments.ts';

const judge = { provider: 'nemo', model: 'large', rubric: defaultRubric };
const answers: AnswerToJudge[] = ['a', 'b', 'c'].map((itemId, n) => ({
  ...{ itemId, example: anExample(n), answer: { kind: 'text', text: `answer ${itemId}` } },
}));

/** A service whose jobs end as a test says, and another judge for what they leave. */
function setup() {
  const service = {
    launched: new Map<string, JudgingRequest>(),
    cancelled: [] as string[],
    end: { status: 'succeeded' } as Partial<EvaluationJob>,
    results: answers.map(({ itemId }): JudgedAnswer => judged(itemId, { reason: 'fine', score: 1 })),
    refusal: null as RejectedError | null,
    outage: null as UnavailableError | null,
  };
  const jobOf = (id: string): EvaluationJob => ({
    ...{ id, status: 'running', error: null, errorRetryable: false },
    ...service.end,
  });
  const jobs: JudgeJobs = {
    findAll: async (key) => (service.launched.has(key) ? [jobOf(key)] : []),
    async launch(request) {
      if (service.refusal) throw service.refusal;
      if (!service.launched.has(request.key)) service.launched.set(request.key, request);
      return { ...jobOf(request.key), status: 'queued' };
    },
    get: async (id) => jobOf(id),
    async *results() {
      yield* service.results;
      if (service.outage) throw service.outage;
    },
    cancel: async (id) => void service.cancelled.push(id),
  };
  const otherwise: string[] = [];
  const byChat: Judge = async ({ store }, open) => {
    for (const { itemId } of open) {
      otherwise.push(itemId);
      await store(itemId, { score: 0.5, reason: 'by chat', failure: null });
    }
  };
  const made = new Map<string, Judgement>();
  const run = (environment = anAttempt()) =>
    runIn(environment, async () => {
      const judging = { judge, runId: 'run-1', evaluationId: 'eval-1', signal: cancellationSignal() };
      const store = async (itemId: string, judgement: Judgement) => void made.set(itemId, judgement);
      await judgeByJob(jobs, byChat, { pollMs: 1, silenceMs: 50 })({ ...judging, store }, answers);
    });
  return { run, service, made, otherwise };
}

function judged(itemId: string, said: JsonObject | null, score: number | null = null): JudgedAnswer {
  const message = { role: 'assistant', content: JSON.stringify(said) };
  return { itemId, score, reply: said && { choices: [{ index: 0, message }] } };
}

test('one job judges all; repeated, it is adopted', async () => {
  const { run, service, made, otherwise } = setup();

  await run();
  await run();

  expect([...service.launched.keys()]).toEqual([expect.stringMatching(/^run-1-eval-1-judge-/)]);
  const [request] = [...service.launched.values()];
  expect(request).toMatchObject({ model: 'large', metadata: { run_id: 'run-1', evaluation_id: 'eval-1' } });
  expect(request?.answers.map(({ itemId }) => itemId)).toEqual(['a', 'b', 'c']);
  expect(made.get('a')).toEqual({ score: 1, reason: 'fine', failure: null });
  expect(otherwise).toEqual([]);
});

test('a reply is read by our rules; without one the evaluator’s score counts, where it is in the range', async () => {
  const { run, service, made, otherwise } = setup();
  service.results = [
    judged('a', { reason: 'superb', score: 7 }, 7),
    judged('b', null, 0.25),
    judged('c', null, 7),
  ];

  await run();

  expect(made.get('a')).toMatchObject({ score: null, failure: 'unparsable' });
  expect(made.get('b')).toMatchObject({ score: 0.25, failure: null });
  expect(made.get('c')).toMatchObject({ score: null, failure: 'unparsable' });
  expect(otherwise).toEqual([]);
});

test('what is missing, and what has neither reply nor score, is judged otherwise', async () => {
  const { run, service, made, otherwise } = setup();
  service.results = [judged('a', { reason: 'fine', score: 1 }), judged('b', null)];

  await run();

  expect(otherwise).toEqual(['b', 'c']);
  expect(made.get('c')).toMatchObject({ score: 0.5, reason: 'by chat' });
});

test('a job that failed leaves all to be judged otherwise; no such judge is refused', async () => {
  const { run, service, otherwise } = setup();
  service.end = { status: 'failed', error: 'connection refused' };
  await run();
  expect(otherwise).toEqual(['a', 'b', 'c']);

  const { run: refused, service: other, otherwise: none } = setup();
  other.refusal = new RejectedError('no such judge', { code: 'model_not_found' });
  await expect(refused()).rejects.toThrow('no such judge');
  expect(none).toEqual([]);
});

test('a connection that breaks while the results are read keeps what was read', async () => {
  const { run, service, made } = setup();
  service.results = service.results.slice(0, 1);
  service.outage = new UnavailableError('broken off');

  await expect(run()).rejects.toThrow('broken off');

  expect([...made.keys()]).toEqual(['a']);
});

test('a cancellation ends the job', async () => {
  const environment = anAttempt();
  const { run, service } = setup();
  service.end = { status: 'running' };

  const running = run(environment);
  setTimeout(() => environment.cancel('CANCELLED'), 20);

  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  expect(service.cancelled).toEqual([...service.launched.keys()]);
});

test.each([
  ['after the last of its time is ended: no other attempt comes', 3_600_000, 1],
  ['in the midst of its time goes on: another attempt has adopted it', 60_000, 0],
])('the job of an attempt that the server gave up %s', async (_, scheduledMsAgo, cancelled) => {
  const environment = anAttempt({ scheduledMsAgo });
  const { run, service } = setup();
  service.end = { status: 'running' };

  const running = run(environment);
  const details = new ActivityCancellationDetails({ notFound: true });
  setTimeout(() => environment.cancel('NOT_FOUND', details), 20);

  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  expect(service.cancelled).toHaveLength(cancelled);
});
