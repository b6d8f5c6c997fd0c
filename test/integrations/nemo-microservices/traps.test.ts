import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasEnded } from '../../../activities/ports/trainer.ts';
import { createChatModel } from '../../../integrations/nemo-microservices/chat-model.ts';
import { createCustomizer } from '../../../integrations/nemo-microservices/customizer.ts';
import { createDataStore } from '../../../integrations/nemo-microservices/data-store.ts';
import { createDeployer } from '../../../integrations/nemo-microservices/deployer.ts';
import { createEntityStore } from '../../../integrations/nemo-microservices/entity-store.ts';
import { createEvaluator } from '../../../integrations/nemo-microservices/evaluator.ts';
import { defaultTraining } from '../../../integrations/nemo-microservices/settings.ts';
import { createTrainer } from '../../../integrations/nemo-microservices/trainer.ts';
import { createTransport } from '../../../integrations/nemo-microservices/transport.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { eventually } from '../../support/eventually.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';
import { aRequest } from './an-adapter.ts';

/**
 * The traps of the service, and the test of each: here, or in a file beside or above.
 *
 * | trap | file | test |
 * |---|---|---|
 * | `@` and `+` in names and paths | here | a name may hold @ and +, and a target a slash |
 * | | `transport` | names keep @ and +, and nothing in them ends a path |
 * | a slash inside a config's target | here | a name may hold @ and +, and a target a slash |
 * | `GET /v1/models` means two things | here | an entity is no served model |
 * | a list's page past the end; a page size that is capped | here | a list is read to its end, whatever the service makes of the page size |
 * | a job that failed at 100 % | here | progress is no success |
 * | `pending`, which the blueprint takes for a failure | `job-traps` | a job of … that waits for a node is pending, which is no failure |
 * | | `statuses` | a job of …: that is pending is queued to us |
 * | `cancelling` seen by a poller | `job-traps` | a job of … that is being cancelled has not ended |
 * | a failed job without a detail | `job-traps` | a job without a detail has failed for the reason in its logs, as an … |
 * | NaN as a score | `job-traps` | a call whose arguments are no JSON is scored NaN, which is no score |
 * | | `evaluation-archive` | what is not a number is no score |
 * | `"10"` under `(\d)` | here | a pattern of one digit reads a 10 as 1 (the service) |
 * | | `domain/judging/judge` | is no score: 10 (Flywheel, which judges where v1 evaluates) |
 * | tool arguments as a string or as an object | here | Customizer is given objects where OpenAI has strings |
 * | an upload's address takes no credentials | here | the key goes to the services and to no upload; without a key no credentials are sent at all |
 * | 201 for a GET | here | a namespace is made once |
 * | a config's name outlives its settings | here | another setting is another config; a config that was changed is refused, not used: … |
 * | a create whose reply is lost | here | a job of … whose reply was lost is adopted |
 * | a namespace that is there: 409 in some releases, 422 in others | here | a namespace that somebody made meanwhile is as good: … |
 * | a deployment's name that is taken, told by a 500 | `contracts/deployer` | has one deployment, however often it is asked |
 * | a deployment that failed, for which the blueprint waits an hour | `contracts/deployer` | says that a deployment failed, and why |
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

/** Of an evaluation. */
const asked = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 2 };
const items = [{ itemId: 'a', body: asked, target: { role: 'assistant', content: 'hello' } }];

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

test('a list is read to its end, whatever the service makes of the page size', async () => {
  const { transport } = setup();
  const entities = createEntityStore(transport);
  await entities.ensureNamespace('flywheel');
  const names = Array.from({ length: 101 }, (_, n) => `flywheel/flywheel-${String(n).padStart(3, '0')}`);
  for (const fullName of names) await entities.ensureDataset({ fullName, description: '', customFields: {} });

  const found: string[] = [];
  for await (const { fullName } of entities.datasets('flywheel')) found.push(fullName);
  const get = async (page: number) => {
    const reply = await fetch(`${server.url}/v1/datasets?page=${page}&page_size=100`);
    return [reply.status, await reply.json()];
  };

  expect(found.sort()).toEqual(names);
  // Half of what is asked for: a short page is not the last one.
  expect(await get(1)).toMatchObject([200, { pagination: { page_size: 50, current_page_size: 50 } }]);
  expect(await get(9)).toMatchObject([200, { data: [] }]);
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

test('names carry workload and run', async () => {
  const { settings, trainer, artifacts } = setup();
  server.faults.noNodeFree = true;
  const request = { ...(await aRequest(artifacts, base)), model: base, rows: items };

  const jobs = [await trainer.launch(request), await createEvaluator(settings).launch(request)];

  const [tuning] = created('/v1/customization/jobs') as [
    { name: string; output_model: string; dataset: { name: string } },
  ];
  const name = /^flywheel-hr-questions-run-20261121t080000z-ab12-[0-9a-f]{16}$/;
  expect(jobs).toHaveLength(2);
  expect(tuning.name).toMatch(name);
  expect(tuning.output_model).toBe(`flywheel/${tuning.name}`);
  const datasets = [...server.world.tables.datasets.values()].map((dataset) => dataset['name']);
  expect(datasets).toEqual([tuning.dataset.name, tuning.name]);
  for (const dataset of datasets) expect(dataset).toMatch(name);
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

test.each([
  { max_seq_length: 128 },
  { target: { namespace: 'flywheel', name: 'nano-4m@2.0', base_model: 'flywheel/nano-4m' } },
  { training_precision: 'fp32' },
])('a config that was changed is refused, not used: %o', async (change) => {
  const { trainer, artifacts } = setup();
  const { id } = await trainer.launch(await aRequest(artifacts, base));
  await trainer.cancel(id);
  for (const config of server.world.tables.customizationConfigs.values()) Object.assign(config, change);

  const launching = trainer.launch(await aRequest(artifacts, base));

  await expect(launching).rejects.toMatchObject({ name: 'RejectedError', code: 'conflict' });
  await expect(launching).rejects.toThrow(/nano-1m@v1/);
});

test.each(['customization', 'evaluation'])('a job of %s whose reply was lost is adopted', async (kind) => {
  const { settings, trainer, artifacts } = setup();
  const evaluator = createEvaluator(settings);
  const request = { ...(await aRequest(artifacts, base)), model: base, rows: items };
  const service = kind === 'evaluation' ? evaluator : trainer;
  server.faults.refusals.push({
    ...{ method: 'POST', path: `/v1/${kind}/jobs`, status: 502, afterwards: true, times: 1 },
  });

  await expect(service.launch(request)).rejects.toMatchObject({ name: 'UnavailableError', kind: 'failing' });
  const job = await service.launch(request);

  expect(created(`/v1/${kind}/jobs`)).toHaveLength(1);
  expect(await service.findAll(request.key)).toMatchObject([{ id: job.id }]);
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
