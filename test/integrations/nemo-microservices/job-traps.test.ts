import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { createCustomizer } from '../../../integrations/nemo-microservices/customizer.ts';
import { createEvaluator } from '../../../integrations/nemo-microservices/evaluator.ts';
import { createTrainer } from '../../../integrations/nemo-microservices/trainer.ts';
import { createTransport } from '../../../integrations/nemo-microservices/transport.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import type { WorldOptions } from '../../contract-servers/nemo-microservices/world.ts';
import { eventually } from '../../support/eventually.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';
import { aRequest } from './an-adapter.ts';

/** The traps of jobs: what their states, reasons and scores mean. The table of all is in `traps.test.ts`. */

const base = 'flywheel/nano-1m';

let server: NemoServer;
beforeEach(async () => {
  server = await aNemoServer();
});
afterEach(() => server.close());

function setup() {
  const settings = settingsOf(server);
  const artifacts = inMemoryArtifacts();
  return {
    settings,
    trainer: createTrainer(settings, artifacts),
    artifacts,
    evaluator: createEvaluator(settings),
  };
}

async function serverOf(options: Partial<WorldOptions>): Promise<void> {
  await server.close();
  server = await aNemoServer(options);
}

const body = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 2 };
const anEvaluation = {
  key: 'run-1-evaluation',
  model: base,
  rows: [{ itemId: 'a', body, target: { role: 'assistant', content: 'hello' } }],
  metadata: { run_id: 'run-1', workload_id: 'hr-questions' },
};

/** As the service shows it. */
async function shown(kind: 'customization' | 'evaluation', id: string): Promise<unknown> {
  return (await fetch(`${server.url}/v1/${kind}/jobs/${id}`)).json();
}

test.each(['customization', 'evaluation'] as const)(
  'a job of %s that waits for a node is pending, which is no failure',
  async (kind) => {
    const { trainer, evaluator, artifacts } = setup();
    server.faults.noNodeFree = true;

    const { id } =
      kind === 'evaluation'
        ? await evaluator.launch(anEvaluation)
        : await trainer.launch(await aRequest(artifacts, base));
    const service = kind === 'evaluation' ? evaluator : trainer;
    await eventually(async () => expect(await shown(kind, id)).toMatchObject({ status: 'pending' }));

    expect(await service.get(id)).toMatchObject({ status: 'queued', error: null });
    await service.cancel(id);
  },
);

test.each(['customization', 'evaluation'] as const)(
  'a job of %s that is being cancelled has not ended',
  async (kind) => {
    const { trainer, evaluator, artifacts } = setup();
    Object.assign(server.faults, { noNodeFree: true, slowToCancel: true });
    const { id } =
      kind === 'evaluation'
        ? await evaluator.launch(anEvaluation)
        : await trainer.launch(await aRequest(artifacts, base));
    const service = kind === 'evaluation' ? evaluator : trainer;

    await service.cancel(id);
    const atOnce = await service.get(id);

    expect(await shown(kind, id)).toMatchObject({ status: 'cancelling' });
    expect(atOnce).toMatchObject({ status: 'running', error: null });
    server.faults.slowToCancel = false;
    await eventually(async () => expect(await service.get(id)).toMatchObject({ status: 'cancelled' }));
  },
);

test('for the blueprint no evaluation is ever pending', async () => {
  await serverOf({ forBlueprint: true });
  const { evaluator } = setup();
  server.faults.noNodeFree = true;
  const { id } = await evaluator.launch(anEvaluation);
  const seen = new Set<unknown>();
  const look = async () => {
    const { status } = (await shown('evaluation', id)) as { status: string };
    seen.add(status);
    return status;
  };

  // Of the same process: by then another server would have said so, after its 50 ms.
  for (let n = 0; n < 10; n++) {
    await sleep(30);
    await look();
  }
  server.faults.noNodeFree = false;
  await eventually(async () => expect(await look()).toBe('completed'), 240_000);

  expect([...seen].filter((status) => status !== 'running')).toEqual(['created', 'completed']);
}, 240_000);

test('a customization is cancelled where the blueprint does it for the blueprint alone', async () => {
  const cancel = async () => {
    const { trainer, artifacts } = setup();
    Object.assign(server.faults, { noNodeFree: true, slowToCancel: true });
    const { id } = await trainer.launch(await aRequest(artifacts, base));
    const reply = await fetch(`${server.url}/v1/customizations/${id}/cancel`, { method: 'POST' });
    return { status: reply.status, job: await shown('customization', id) };
  };

  const usual = await cancel();
  await serverOf({ forBlueprint: true });
  const forBlueprint = await cancel();

  expect(usual).toMatchObject({
    status: 404,
    job: { status: expect.stringMatching(/created|pending/) as string },
  });
  expect(forBlueprint).toMatchObject({ status: 200, job: { status: 'cancelling' } });
});

test.each([
  ['error', /^No files found at hf:\/\/datasets\/flywheel\/flywheel-/],
  ['event', /^Failed: No files found at /],
] as const)(
  'a job without a detail has failed for the reason in its logs, as an %s',
  async (where, reason) => {
    const { trainer, artifacts } = setup();
    server.faults.noNodeFree = true;
    server.faults.reasonOnlyIn = where;
    const request = await aRequest(artifacts, base);
    const { id } = await trainer.launch(request);
    server.world.dataStore.repos.clear();
    server.faults.noNodeFree = false;

    await eventually(async () =>
      expect(await shown('customization', id)).toMatchObject({ status: 'failed' }),
    );
    const job = await trainer.get(id);

    const { status_details: details } = (await shown('customization', id)) as {
      status_details: { status_logs: { detail?: string }[] };
    };
    expect(details.status_logs.flatMap(({ detail }) => detail ?? [])).toEqual([]);
    expect(job).toMatchObject({ status: 'failed', error: expect.stringMatching(reason) as string });
    expect(await trainer.findAll(request.key)).toEqual([job]);
    expect(await trainer.launch(request)).toEqual(job);
  },
);

test('a job has failed, whether or not its logs can be read', async () => {
  const { trainer, artifacts, settings } = setup();
  server.faults.noNodeFree = true;
  server.faults.reasonOnlyIn = 'error';
  const { id } = await trainer.launch(await aRequest(artifacts, base));
  server.world.dataStore.repos.clear();
  server.faults.noNodeFree = false;
  await eventually(async () => expect(await shown('customization', id)).toMatchObject({ status: 'failed' }));
  server.faults.refusals.push({ path: '/container-logs', status: 404, times: 2 });

  expect(await trainer.get(id)).toMatchObject({ status: 'failed', error: null });
  const customizer = createCustomizer(createTransport(settings, settings.url));
  await expect(customizer.failureReason(id)).rejects.toMatchObject({ code: 'not_found' });
});

test('a call whose arguments are no JSON is scored NaN, which is no score', async () => {
  const { evaluator } = setup();
  const itemId = 'NaN, "NaN" and -Infinity: a text keeps its words';
  const call = { id: 'call_1', type: 'function', function: { name: 'payday', arguments: '{"year": ' } };
  const { id } = await evaluator.launch({
    ...anEvaluation,
    rows: [{ itemId, body, target: { role: 'assistant', tool_calls: [call] } }],
  });
  await eventually(
    async () => expect(await evaluator.get(id)).toMatchObject({ status: 'succeeded' }),
    240_000,
  );

  const rows = [];
  for await (const row of evaluator.results(id)) rows.push(row);
  const results = await fetch(`${server.url}/v1/evaluation/jobs/${id}/results`);

  expect(rows).toMatchObject([
    {
      itemId,
      error: null,
      metrics: {
        'tool-calling.function_name_accuracy': 0,
        'tool-calling.function_name_and_args_accuracy': null,
      },
    },
  ]);
  // It is not a number in the archive, and counted in the summary.
  expect(JSON.stringify(await results.json())).toContain('"nan_count":1');
}, 300_000);

test('a server that closes leaves no training behind at the model server', async () => {
  const { trainer, artifacts } = setup();
  const request = await aRequest(artifacts, base);
  const { id } = await trainer.launch({
    ...request,
    hyperparameters: { ...request.hyperparameters, epochs: 1000 },
  });
  const trainings = async () => {
    const reply = await fetch(`${inject('modelServerUrl')}/v1/fine_tuning/jobs?limit=100`);
    const { data } = (await reply.json()) as {
      data: { status: string; metadata: { customization_job?: string } }[];
    };
    return data.filter(({ metadata }) => metadata.customization_job === id).map(({ status }) => status);
  };
  await eventually(async () => expect(await trainings()).toEqual(['running']), 240_000);

  await server.close();

  await eventually(async () => expect(await trainings()).toEqual(['cancelled']), 60_000);
}, 360_000);
