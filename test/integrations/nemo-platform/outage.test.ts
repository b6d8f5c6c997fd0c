import { afterEach, expect, test } from 'vitest';
import { createEvaluate } from '../../../activities/evaluate.ts';
import type { Evaluator } from '../../../activities/ports/evaluator.ts';
import { createChatModel } from '../../../integrations/nemo-platform/chat-model.ts';
import { createEvaluator } from '../../../integrations/nemo-platform/evaluator.ts';
import { openFewShots } from '../../../wiring/open-few-shots.ts';
import { anAttempt, runIn } from '../../support/activity-environment.ts';
import { aDataset, anExample } from '../../support/experiments.ts';
import { respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';
import { inMemoryDatasets, inMemoryEvaluations } from '../../support/in-memory-lineage.ts';
import { aWorkspaceServing } from '../../support/nemo-platform.ts';

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

const call = { id: 'call_1', type: 'function', function: { name: 'pto_balance', arguments: '{}' } };
const items = 6;

/** A model behind the real platform that answers twice, and then is gone for as long as the job runs. */
async function setup() {
  const state = { answered: 0, down: false };
  server = await startHttpServer((request, response) => {
    if (state.down) return response.socket?.destroy();
    // Whether it is there is asked before it is asked anything.
    if (request.method === 'GET') return respond(response, 200, { object: 'list', data: [] });
    state.answered += 1;
    if (state.answered === 2) state.down = true;
    return respond(response, 200, {
      ...{ id: `answer-${state.answered}`, object: 'chat.completion', created: 1, model: 'steady' },
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: null, tool_calls: [call] },
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 },
    });
  });
  const settings = await aWorkspaceServing('steady', `${server.url}/v1`);
  const real = createEvaluator(settings);
  const evaluator: Evaluator = {
    ...real,
    async get(jobId) {
      const job = await real.get(jobId);
      if (job.status === 'succeeded') state.down = false;
      return job;
    },
  };
  const examples = Array.from({ length: items }, (_, n) => anExample(n));
  const artifacts = inMemoryArtifacts();
  const evalFile = await artifacts.putLines(examples.map((example) => JSON.stringify(example)));
  const evaluations = inMemoryEvaluations();
  const { evaluate } = createEvaluate(
    {
      artifacts,
      lineage: { datasets: inMemoryDatasets(aDataset({ files: { eval: evalFile } })), evaluations },
      chatModels: () => createChatModel(settings),
      evaluators: () => evaluator,
      fewShots: openFewShots(artifacts, () => expect.fail('nothing is embedded')),
    },
    { concurrency: 2, itemTimeoutMs: 60_000, remote: { pollMs: 500, silenceMs: 60_000 } },
  );
  const input = {
    ...{ experimentId: `run-${process.pid}/steady/base`, runId: `run-${process.pid}`, datasetId: 'data-1' },
    serving: { provider: 'nemo', model: 'steady', fewShotUri: null, maxTokens: 64 },
  };
  return { run: () => runIn(anAttempt(), evaluate, input), evaluations };
}

test('an outage while the evaluator asks is no wrong answer of the model', async () => {
  const { run, evaluations } = await setup();

  const summary = await run();

  expect(summary).toMatchObject({ n: items, failed: 0, metrics: { call_accuracy: 1 } });
  expect(summary.metrics['evaluator/asked_again']).toBeCloseTo((items - 2) / items);
  expect(summary.latencyMs).not.toBeNull();
  expect([...evaluations.stored.values()].every(({ failure }) => failure === null)).toBe(true);
}, 600_000);
