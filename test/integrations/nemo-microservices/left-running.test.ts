import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createEndEvaluation } from '../../../activities/end-evaluation.ts';
import { createEndTraining } from '../../../activities/end-training.ts';
import { createEvaluate } from '../../../activities/evaluate.ts';
import { fineTuneKey } from '../../../activities/idempotency-keys.ts';
import { createChatModel } from '../../../integrations/nemo-microservices/chat-model.ts';
import { createEvaluator } from '../../../integrations/nemo-microservices/evaluator.ts';
import { createTrainer } from '../../../integrations/nemo-microservices/trainer.ts';
import { openFewShots } from '../../../wiring/open-few-shots.ts';
import { type NemoServer, startNemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { anAttempt, runIn } from '../../support/activity-environment.ts';
import { eventually } from '../../support/eventually.ts';
import { aCandidate, aDataset, anExample } from '../../support/experiments.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';
import { inMemoryDatasets, inMemoryEvaluations, inMemoryTrainings } from '../../support/in-memory-lineage.ts';
import { settingsOf } from '../../support/nemo-server.ts';
import { aRequest } from './an-adapter.ts';

/** What a run that was cancelled leaves at the services when the worker that watched its jobs is dead: nothing. */

const base = 'flywheel/nano-1m';
const timing = { pollMs: 50, endMs: 20_000 };

let server: NemoServer;
beforeAll(async () => {
  server = await startNemoServer({ modelServerUrl: inject('modelServerUrl') });
  server.faults.unending.add('customization').add('evaluation');
});
afterAll(() => server.close());

/** Statuses at the service, oldest job first. */
async function statuses(kind: 'customization' | 'evaluation'): Promise<string[]> {
  const list = await fetch(`${server.url}/v1/${kind}/jobs?sort=created_at`);
  return ((await list.json()) as { data: { status: string }[] }).data.map(({ status }) => status);
}

/** The last create of this kind arrives once more, late: a job that no process of ours was told of. */
async function createAgain(kind: 'customization' | 'evaluation'): Promise<void> {
  const path = `/v1/${kind}/jobs`;
  const last = server.calls.findLast((call) => call.method === 'POST' && call.path === path);
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${server.url}${path}`, {
    ...{ method: 'POST', headers, body: JSON.stringify(last?.body) },
  });
  expect(reply.ok).toBe(true);
}

test('an evaluation whose worker died is ended, and so is the second job of a create without an answer', async () => {
  const settings = settingsOf(server);
  const artifacts = inMemoryArtifacts();
  const evalFile = await artifacts.putLines([JSON.stringify(anExample(1))]);
  const evaluations = inMemoryEvaluations();
  const lineage = { datasets: inMemoryDatasets(aDataset({ files: { eval: evalFile } })), evaluations };
  const ports = {
    ...{ artifacts, lineage, chatModels: () => createChatModel(settings) },
    evaluators: () => createEvaluator(settings),
    fewShots: openFewShots(artifacts, () => expect.fail('nothing is embedded')),
    judgeServices: () => null,
  };
  const remote = { pollMs: 20, silenceMs: 20_000 };
  const { evaluate } = createEvaluate(ports, { concurrency: 1, itemTimeoutMs: 20_000, remote });
  const { endEvaluation } = createEndEvaluation(ports, timing);
  const run = { experimentId: 'run-1/nano/base', runId: 'run-1' };
  const serving = { provider: 'nemo', model: base, fewShotUri: null, maxTokens: 8 };
  const watching = anAttempt();

  const attempt = runIn(watching, evaluate, { ...run, datasetId: 'data-1', serving });
  const outcome = expect(attempt).rejects.toBeInstanceOf(CancelledFailure);
  await eventually(async () => expect(await statuses('evaluation')).toHaveLength(1));
  // Its worker goes without ending anything: another attempt might adopt the job.
  watching.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  await outcome;
  await createAgain('evaluation');
  await eventually(async () => expect(await statuses('evaluation')).toEqual(['running', 'running']), 60_000);

  expect(await runIn(anAttempt(), endEvaluation, run)).toEqual({ ended: 2 });

  expect(await statuses('evaluation')).toEqual(['cancelled', 'cancelled']);
  expect(await runIn(anAttempt(), endEvaluation, run)).toEqual({ ended: 0 });
}, 120_000);

test('of two trainings of one key both are ended', async () => {
  const artifacts = inMemoryArtifacts();
  const trainer = createTrainer(settingsOf(server), artifacts);
  const dataset = aDataset();
  const lineage = { datasets: inMemoryDatasets(dataset), experiments: inMemoryTrainings() };
  const { endTraining } = createEndTraining({ trainers: () => trainer, lineage }, timing);
  const input = {
    ...{ experimentId: 'run-1/nano/lora', runId: 'run-1', workloadId: 'hr', datasetId: 'data-1' },
    ...{ candidate: aCandidate(), seed: 7 },
  };
  const key = fineTuneKey({ ...input, datasetHash: dataset.summary.hash }, 1);
  server.faults.noNodeFree = true;
  await trainer.launch({ ...(await aRequest(artifacts, base)), key });
  await createAgain('customization');
  expect(await trainer.findAll(key)).toHaveLength(2);

  expect(await runIn(anAttempt(), endTraining, input)).toEqual({ ended: 2 });

  expect(await statuses('customization')).toEqual(['cancelled', 'cancelled']);
}, 60_000);
