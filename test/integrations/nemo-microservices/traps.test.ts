import { strToU8, zipSync } from 'fflate';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasEnded } from '../../../activities/ports/trainer.ts';
import { createChatModel } from '../../../integrations/nemo-microservices/chat-model.ts';
import { createCustomizer } from '../../../integrations/nemo-microservices/customizer.ts';
import { createDataStore } from '../../../integrations/nemo-microservices/data-store.ts';
import { createDeployer } from '../../../integrations/nemo-microservices/deployer.ts';
import { createEntityStore } from '../../../integrations/nemo-microservices/entity-store.ts';
import { readArchive } from '../../../integrations/nemo-microservices/evaluation-archive.ts';
import { createEvaluator } from '../../../integrations/nemo-microservices/evaluator.ts';
import { createInventory } from '../../../integrations/nemo-microservices/inventory.ts';
import { defaultTraining } from '../../../integrations/nemo-microservices/settings.ts';
import { createTrainer } from '../../../integrations/nemo-microservices/trainer.ts';
import { createTransport } from '../../../integrations/nemo-microservices/transport.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { eventually } from '../../support/eventually.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';
import { anAdapter, aRequest } from './an-adapter.ts';

/**
 * The traps of the service, each once. Those of states and of deployments are in the contracts
 * (`trainer`, `evaluator`, `deployer`), which the same server passes.
 *
 * | trap | test |
 * |---|---|
 * | `@` and `+` in names and paths | a name may hold @ and + |
 * | a slash inside a config's target | a name may hold @ and + |
 * | `GET /v1/models` means two things | an entity is no served model |
 * | a list's page past the end, a page size that is capped | a list is read to its end |
 * | a job that failed at 100 % | progress is no success |
 * | `cancelling` | a job that is being cancelled has not ended |
 * | NaN as a score | what is not a number is no score |
 * | `"10"` under `(\d)` | a pattern of one digit reads a 10 as 1 |
 * | tool arguments as a string or as an object | Customizer is given objects |
 * | an upload's address takes no credentials | the key goes to the Data Store and to no upload |
 * | 201 for a GET | a namespace is made once |
 * | a config's name outlives its settings | another setting is another config; a config that was changed is refused |
 * | a create whose reply is lost | a job whose reply was lost is adopted |
 * | a namespace that is there: 409 in some releases, 422 in others | a namespace that somebody made meanwhile |
 */

const base = 'flywheel/nano-1m';

let server: NemoServer;
beforeEach(async () => {
  server = await aNemoServer();
});
afterEach(() => server.close());

function setup(overrides: { apiKey?: string } = {}) {
  const settings = { ...settingsOf(server), ...overrides };
  const artifacts = inMemoryArtifacts();
  const transport = createTransport(settings, settings.url);
  return { settings, artifacts, transport, trainer: createTrainer(settings, artifacts) };
}

const created = (path: string) =>
  server.calls.filter((call) => call.method === 'POST' && call.path === path).map(({ body }) => body);

test('a name may hold @ and +, and a target a slash', async () => {
  const { trainer, artifacts, settings, transport } = setup();

  const job = await trainer.launch(await aRequest(artifacts, base));
  await trainer.cancel(job.id);

  const [config] = created('/v1/customization/configs') as [{ name: string; target: string }];
  const [{ output_model: output }] = created('/v1/customization/jobs') as [{ output_model: string }];
  expect(config).toMatchObject({ target: 'flywheel/nano-1m@2.0' });
  expect(config.name).toMatch(/^nano-1m@v1\.0\.0\+flywheel-[0-9a-f]{12}$/);
  expect(await createEntityStore(transport).model(`${output}@${job.id}`)).toMatchObject({
    name: `${output.split('/')[1]}@${job.id}`,
  });
  await createCustomizer(transport).deleteConfig(`${settings.namespace}/${config.name}`);
  expect(server.calls.at(-1)?.path).toBe(`/v1/customization/configs/flywheel/${config.name}`);
});

test('an entity is no served model', async () => {
  const { settings, transport } = setup();
  const entities = createEntityStore(transport);
  await entities.ensureNamespace('flywheel');
  const body = { name: 'lonely@cust-1', namespace: 'flywheel', base_model: base };
  await fetch(`${server.url}/v1/models`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

  expect(await entities.model('flywheel/lonely@cust-1')).not.toBeNull();
  expect(await createChatModel(settings).isServed('flywheel/lonely@cust-1')).toBe(false);
  expect(await entities.model(base)).toBeNull();
  expect(await createChatModel(settings).isServed(base)).toBe(true);
  expect(
    await createDeployer(settings).deploy({ model: 'flywheel/lonely@cust-1', baseModel: base }),
  ).toMatchObject({ status: 'pending' });
});

test('a list is read to its end', async () => {
  const { transport } = setup();
  const entities = createEntityStore(transport);
  await entities.ensureNamespace('flywheel');
  const names = Array.from({ length: 101 }, (_, n) => `flywheel/flywheel-${String(n).padStart(3, '0')}`);
  for (const fullName of names) await entities.ensureDataset({ fullName, description: '', customFields: {} });

  const found: string[] = [];
  for await (const { fullName } of entities.datasets('flywheel')) found.push(fullName);
  const past = await fetch(`${server.url}/v1/datasets?page=9&page_size=100`);

  expect(found.sort()).toEqual(names);
  expect([past.status, await past.json()]).toMatchObject([200, { data: [] }]);
});

test('progress is no success', async () => {
  const { trainer, artifacts } = setup();
  server.faults.failTrainingAtEnd = true;

  const { id } = await trainer.launch(await aRequest(artifacts, base));
  const job = await eventually(async () => {
    const seen = await trainer.get(id);
    expect(hasEnded(seen)).toBe(true);
    return seen;
  }, 540_000);

  const shown = (await (await fetch(`${server.url}/v1/customization/jobs/${id}/status`)).json()) as object;
  expect(shown).toMatchObject({ status: 'failed', percentage_done: 100, steps_completed: 1 });
  expect(job).toMatchObject({
    status: 'failed',
    model: null,
    trainSeconds: null,
    error: 'Upload of the checkpoint failed',
  });
}, 600_000);

test('a job that is being cancelled has not ended', async () => {
  const { trainer, artifacts } = setup();
  const { id } = await trainer.launch(await aRequest(artifacts, base));

  await trainer.cancel(id);
  const atOnce = await trainer.get(id);
  const shown = (await (await fetch(`${server.url}/v1/customization/jobs/${id}`)).json()) as object;

  expect(shown).toMatchObject({ status: 'cancelling' });
  expect(atOnce).toMatchObject({ status: 'running', model: null });
  await eventually(async () => expect(await trainer.get(id)).toMatchObject({ status: 'cancelled' }));
});

test('what is not a number is no score', () => {
  const results =
    '{"task": [{"item": {"item_id": "a", "note": "NaN, \\"NaN\\" and -Infinity"},' +
    ' "sample": {"response": {"choices": []}},' +
    ' "metrics": {"judge": {"scores": {"rating": {"value": NaN}, "other": {"value": 2.5}}}, "bare": -Infinity}}]}';
  const zip = zipSync({ 'job/results.json': strToU8(results) });

  const rows = [...readArchive(zip, { provider: 'nemo', jobId: 'eval-1' })];

  expect(rows).toEqual([
    {
      itemId: 'a',
      response: { choices: [] },
      error: null,
      metrics: { 'judge.rating': null, 'judge.other': 2.5, bare: null },
    },
  ]);
});

test.each([
  ['no archive of samples', zipSync({ 'logs.txt': strToU8('x') })],
  ['samples of another form', zipSync({ 'results.json': strToU8('{"task": [{"row": 1}]}') })],
])('results with %s are an error, not an evaluation without answers', (_, zip) => {
  expect(() => [...readArchive(zip, { provider: 'nemo', jobId: 'eval-1' })]).toThrow(/eval-1/);
});

test('Customizer is given objects where OpenAI has strings', async () => {
  const { trainer, artifacts } = setup();

  const { id } = await trainer.launch(await aRequest(artifacts, base));
  await trainer.cancel(id);

  const files = [...server.world.dataStore.repos.values()].flatMap(({ revisions }) => [
    ...(revisions.get('main')?.files ?? []),
  ]);
  const [, file] = files.find(([path]) => path.startsWith('training/')) ?? [];
  const [line = ''] = file?.bytes.toString('utf8').split('\n') ?? [];
  expect(JSON.parse(line)).toMatchObject({
    messages: [{}, { content: '', tool_calls: [{ function: { name: 'payday', arguments: {} } }] }],
  });
});

test('the key goes to the services and to no upload', async () => {
  const { trainer, artifacts } = setup({ apiKey: 'nvapi-0123456789abcdef' });

  const { id } = await trainer.launch(await aRequest(artifacts, base));
  await trainer.cancel(id);

  const sent = (part: string) =>
    new Set(server.calls.filter(({ path }) => path.includes(part)).map((call) => call.authorization));
  expect(sent('/data-store/lfs/objects/')).toEqual(new Set([null]));
  expect(sent('/v1/hf/')).toEqual(new Set(['Bearer nvapi-0123456789abcdef']));
  expect(sent('/v1/customization/')).toEqual(new Set(['Bearer nvapi-0123456789abcdef']));
});

test('without a key no credentials are sent at all', async () => {
  const { trainer, artifacts } = setup();

  const { id } = await trainer.launch(await aRequest(artifacts, base));
  await trainer.cancel(id);

  expect(new Set(server.calls.map(({ authorization }) => authorization))).toEqual(new Set([null]));
});

test('a namespace is made once', async () => {
  const { settings, transport } = setup();
  const stores = [createDataStore(settings), createEntityStore(transport)];

  for (const store of stores) await store.ensureNamespace('flywheel');
  for (const store of stores) await store.ensureNamespace('flywheel');

  expect(server.calls.filter(({ method }) => method === 'POST')).toHaveLength(2);
});

test.each([409, 422])('a namespace that somebody made meanwhile is as good: %i', async (status) => {
  const { settings, transport } = setup();
  for (const path of ['/v1/namespaces', '/v1/datastore/namespaces']) {
    server.faults.refusals.push({ method: 'POST', path, status, times: 1 });
  }

  await createEntityStore(transport).ensureNamespace('flywheel');
  await createDataStore(settings).ensureNamespace('flywheel');

  expect(server.faults.refusals.map(({ times }) => times)).toEqual([0, 0]);
});

test('another setting is another config', async () => {
  const { settings, artifacts } = setup();
  const first = createTrainer(settings, artifacts);
  const second = createTrainer(settings, artifacts, { ...defaultTraining, maxSeqLength: 4096 });

  const jobs = [
    await first.launch(await aRequest(artifacts, base)),
    await first.launch(await aRequest(artifacts, base)),
    await second.launch(await aRequest(artifacts, base)),
  ];
  for (const { id } of jobs) await first.cancel(id);

  const configs = [...server.world.tables.customizationConfigs.values()];
  expect(configs.map((config) => config['max_seq_length'])).toEqual([8192, 4096]);
});

test('a config that was changed is refused, not used', async () => {
  const { trainer, artifacts } = setup();
  const { id } = await trainer.launch(await aRequest(artifacts, base));
  await trainer.cancel(id);
  for (const config of server.world.tables.customizationConfigs.values()) config['max_seq_length'] = 128;

  const launching = trainer.launch(await aRequest(artifacts, base));

  await expect(launching).rejects.toMatchObject({ name: 'RejectedError', code: 'conflict' });
  await expect(launching).rejects.toThrow(/nano-1m@v1/);
});

test.each(['customization', 'evaluation'])('a job of %s whose reply was lost is adopted', async (kind) => {
  const { settings, trainer, artifacts } = setup();
  const evaluator = createEvaluator(settings);
  const body = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 2 };
  const rows = [{ itemId: 'a', body, target: { role: 'assistant', content: 'hello' } }];
  const request = { ...(await aRequest(artifacts, base)), model: base, rows };
  const service = kind === 'evaluation' ? evaluator : trainer;
  server.faults.refusals.push({
    ...{ method: 'POST', path: `/v1/${kind}/jobs`, status: 502, afterwards: true, times: 1 },
  });

  await expect(service.launch(request)).rejects.toMatchObject({ name: 'UnavailableError', kind: 'failing' });
  const job = await service.launch(request);

  expect(created(`/v1/${kind}/jobs`)).toHaveLength(1);
  expect(await service.find(request.key)).toMatchObject({ id: job.id });
  await service.cancel(job.id);
});

test('of two jobs that two processes made at once, both take the first, and the other is cancelled', async () => {
  const { settings, artifacts } = setup();
  const request = await aRequest(artifacts, base);
  // Without what one process remembers of its own launches.
  const [one, other] = [createTrainer(settings, artifacts), createTrainer(settings, artifacts)];

  const [first, second] = await Promise.all([one.launch(request), other.launch(request)]);

  expect(second.id).toBe(first.id);
  const made = created('/v1/customization/jobs').length;
  const open = async () => {
    const list = await fetch(`${server.url}/v1/customization/jobs`);
    const { data } = (await list.json()) as { data: { id: string; status: string }[] };
    return data.filter(({ status }) => !['cancelling', 'cancelled'].includes(status)).map(({ id }) => id);
  };
  expect(made).toBeGreaterThan(0);
  expect(await open()).toEqual([first.id]);
  await one.cancel(first.id);
});

test('a pattern of one digit reads a 10 as 1', async () => {
  const { score } = await import('../../contract-servers/nemo-microservices/evaluator/metrics.ts');
  const rate = async (pattern: string, said: string) => {
    const params = {
      model: 'judge',
      scores: { rating: { type: 'int', parser: { type: 'regex', pattern } } },
    };
    return (await score({ type: 'llm-judge', params }, { item: {} }, async () => said))['rating'];
  };

  expect(await rate('(\\d)', '10')).toBe(1);
  expect(await rate('RATING:\\s*(\\d+)', 'RATING: 10')).toBe(10);
  expect(await rate('RATING:\\s*(\\d+)', 'ten')).toBeNaN();
});

test('a service that asks to wait is waited for, shortly', async () => {
  const { transport } = setup();
  server.faults.refusals.push({ path: '/v1/namespaces', status: 429, retryAfter: '0', times: 2 });

  await createEntityStore(transport).ensureNamespace('flywheel');

  expect(server.world.tables.namespaces.has('flywheel')).toBe(true);
});

test('one that asks to wait longer is left to the caller, with the time it asked for', async () => {
  const { transport } = setup();
  server.faults.refusals.push({ path: '/v1/namespaces', status: 503, retryAfter: '60', times: 9 });

  const ensuring = createEntityStore(transport).ensureNamespace('flywheel');

  await expect(ensuring).rejects.toMatchObject({ kind: 'busy', retryAfterMs: 60_000 });
  expect(server.calls).toHaveLength(1);
});

test('the inventory lists what is ours, removes it, and refuses what is not', async () => {
  const { settings, transport } = setup();
  const model = await anAdapter(settings, base);
  const entities = createEntityStore(transport);
  await entities.ensureDataset({ fullName: 'flywheel/of-somebody', description: '', customFields: {} });
  const inventory = createInventory(settings);
  const all = async () => {
    const things = [];
    for await (const thing of inventory.list()) things.push(thing);
    return things;
  };

  const things = await all();
  for (const thing of [...things, ...things]) await inventory.remove(thing);

  expect(things.map(({ kind }) => kind).sort()).toEqual(['customization config', 'dataset', 'model']);
  expect(things.find(({ kind }) => kind === 'model')).toMatchObject({ id: model });
  expect(await all()).toEqual([]);
  await expect(inventory.remove({ kind: 'dataset', id: 'flywheel/of-somebody' })).rejects.toMatchObject({
    name: 'RejectedError',
  });
  await expect(inventory.remove({ kind: 'deployment', id: 'flywheel/nano-1m' })).rejects.toMatchObject({
    name: 'RejectedError',
  });
  expect([...server.world.dataStore.repos.keys()]).toEqual([]);
}, 600_000);
