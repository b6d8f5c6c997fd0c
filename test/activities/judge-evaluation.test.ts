import { expect, test } from 'vitest';
import { createJudgeEvaluation } from '../../activities/judge-evaluation.ts';
import type { ChatRequest } from '../../activities/ports/chat-model.ts';
import type { EvaluationItem } from '../../activities/ports/experiment-lineage.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { defaultRubric } from '../../domain/judging/judge.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { aDataset, anExample } from '../support/experiments.ts';
import { inMemoryArtifacts } from '../support/in-memory-artifacts.ts';
import { inMemoryDatasets, inMemoryEvaluations, inMemoryJudgements } from '../support/in-memory-lineage.ts';

const judge = { provider: 'cloud', model: 'large', rubric: defaultRubric };

type Reply = (request: ChatRequest) => string | Promise<string>;

/** An evaluation of so many items; those in `missing` have no answer. */
async function setup(options: { items?: number; missing?: number[]; reply?: Reply } = {}) {
  const { items = 4, missing = [] } = options;
  const examples = Array.from({ length: items }, (_, n) => anExample(n));
  const artifacts = inMemoryArtifacts();
  const evalFile = await artifacts.putLines(examples.map((example) => JSON.stringify(example)));
  const evaluations = inMemoryEvaluations();
  await evaluations.storeItems(
    'eval-1',
    examples.map(({ recordId }, n) => answered(recordId, missing.includes(n))),
  );
  const judgements = inMemoryJudgements();
  const asked: ChatRequest[] = [];
  const model = { reply: options.reply ?? (() => '{"reason": "fine", "score": 0.5}') };
  const chatModel = {
    async complete(request: ChatRequest) {
      asked.push(request);
      const content = await model.reply(request);
      const response = { choices: [{ index: 0, message: { role: 'assistant', content } }] } as JsonObject;
      return { response, latencyMs: 1 };
    },
    countTokens: async () => null,
    isServed: async () => true,
  };
  const lineage = {
    datasets: inMemoryDatasets(aDataset({ files: { eval: evalFile } })),
    evaluations,
    judgements,
  };
  const { judgeEvaluation } = createJudgeEvaluation(
    { artifacts, lineage, chatModels: () => chatModel, judgeServices: () => null },
    { concurrency: 2, itemTimeoutMs: 100, backoffMs: 1 },
  );
  const input = { evaluationId: 'eval-1', datasetId: 'data-1', judge };
  return { asked, model, judgements, run: () => runIn(anAttempt(), judgeEvaluation, input) };
}

function answered(itemId: string, isMissing: boolean): EvaluationItem {
  const response = {
    choices: [{ index: 0, message: { role: 'assistant', content: `answer to ${itemId}` } }],
  };
  return {
    itemId,
    recordId: itemId,
    response: isMissing ? null : response,
    failure: isMissing ? 'timeout' : null,
    failureDetail: null,
    scores: {},
    latencyMs: 1,
    promptTokens: 1,
    completionTokens: 1,
  };
}

test('every answer is judged once, and the summary kept', async () => {
  const { run, asked, judgements } = await setup();

  const summary = await run();

  expect(summary).toEqual({ score: 0.5, n: 4, failed: 0, failures: {} });
  expect(asked).toHaveLength(4);
  expect(judgements.summaries.get('eval-1')).toEqual(summary);
});

test('a missing answer scores 0 without being asked about', async () => {
  const { run, asked } = await setup({ missing: [1] });

  expect(await run()).toMatchObject({ score: 0.375, n: 4, failed: 0 });
  expect(asked).toHaveLength(3);
});

test('what the judge did not give a score for is counted, and no zero', async () => {
  let n = 0;
  const { run } = await setup({ reply: () => (n++ === 0 ? '9/10' : '{"reason": "", "score": 1}') });

  expect(await run()).toEqual({ score: 1, n: 4, failed: 1, failures: { unparsable: 1 } });
});

test('a server that refuses structured output is asked in words', async () => {
  const reply: Reply = ({ body }) => {
    if (body['response_format']) throw new RejectedError('response_format is not supported');
    return '{"reason": "fine", "score": 1}';
  };
  const { run, asked } = await setup({ items: 1, reply });

  expect(await run()).toMatchObject({ score: 1, failed: 0 });
  expect(asked.map(({ body }) => 'response_format' in body)).toEqual([true, false]);
});

test('a judge that nobody can ask is counted for every answer: it only advises', async () => {
  const { run } = await setup({
    reply: () => Promise.reject(new RejectedError('no such model', { code: 'model_not_found' })),
  });

  expect(await run()).toEqual({ score: null, n: 4, failed: 4, failures: { provider_error: 4 } });
});

test('an outage is thrown for Temporal to wait out, and what was judged is not judged again', async () => {
  const { run, asked, model } = await setup();
  let n = 0;
  model.reply = () => {
    if (n++ < 1) return '{"reason": "", "score": 1}';
    throw new UnavailableError('connection refused', { kind: 'unreachable' });
  };
  await expect(run()).rejects.toThrow('connection refused');
  model.reply = () => '{"reason": "", "score": 1}';
  asked.length = 0;

  expect(await run()).toMatchObject({ score: 1, n: 4 });
  expect(asked).toHaveLength(3);
});

test('an answer that takes the judge too long is counted', async () => {
  const { run } = await setup({
    items: 1,
    reply: () => Promise.reject(new UnavailableError('no answer', { kind: 'timeout' })),
  });

  expect(await run()).toEqual({ score: null, n: 1, failed: 1, failures: { timeout: 1 } });
});
