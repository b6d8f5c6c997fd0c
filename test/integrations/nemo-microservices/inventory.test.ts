import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { KeptThing } from '../../../activities/ports/inventory.ts';
import { createChatModel } from '../../../integrations/nemo-microservices/chat-model.ts';
import { createCustomizer } from '../../../integrations/nemo-microservices/customizer.ts';
import { createDeployer } from '../../../integrations/nemo-microservices/deployer.ts';
import { createEvaluator } from '../../../integrations/nemo-microservices/evaluator.ts';
import { createInventory } from '../../../integrations/nemo-microservices/inventory.ts';
import type { NemoSettings } from '../../../integrations/nemo-microservices/settings.ts';
import { createTransport } from '../../../integrations/nemo-microservices/transport.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { describeInventory, type InventorySetup } from '../../contracts/inventory.contract.ts';
import { eventually } from '../../support/eventually.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';
import { anAdapter } from './an-adapter.ts';

const base = 'flywheel/nano-4m';
const images = { [base]: { image: `registry.example/nim/${base}`, tag: '1.8.3', gpus: 1 } };

describeInventory('NeMo Microservices v1', async () => {
  const server = await aNemoServer();
  const settings = settingsOf(server);
  return {
    inventory: createInventory(settings),
    made: await make(server, settings),
    foreign: await makeForeign(server),
    isThere: (thing) => isThere(server, thing),
    close: () => server.close(),
  };
});

it('removes a second job’s model and leaves the files of the first, which are in the same repository', async () => {
  const server = await aNemoServer();
  onTestFinished(() => server.close());
  const settings = settingsOf(server);
  const inventory = createInventory(settings);
  const isServed = (model: string) => createChatModel(settings).isServed(model);
  const survivor = await anAdapter(settings, 'flywheel/nano-1m');
  const surplus = await secondJobLike(server, settings);
  const repo = `model:${survivor.replace(/@.*$/, '')}`;
  await eventually(async () => expect(await isServed(survivor)).toBe(true));

  await inventory.remove({ kind: 'model', id: surplus });

  expect(surplus.replace(/@.*$/, '')).toBe(survivor.replace(/@.*$/, ''));
  expect([...server.world.tables.models.keys()]).toEqual([survivor]);
  expect(server.world.dataStore.repos.get(repo)?.revisions.has(survivor.replace(/^.*@/, ''))).toBe(true);
  expect(await refreshed(server, () => isServed(survivor))).toBe(true);

  // The last one takes the repository with it, and is listed until that is gone.
  server.faults.refusals.push({ method: 'DELETE', path: '/repos/delete', status: 400, times: 1 });
  await expect(inventory.remove({ kind: 'model', id: survivor })).rejects.toThrow(/delete repository/);
  expect([...server.world.tables.models.keys()]).toEqual([survivor]);
  await inventory.remove({ kind: 'model', id: survivor });
  expect(server.world.tables.models.size + Number(server.world.dataStore.repos.has(repo))).toBe(0);
}, 300_000);

/** As of two processes that launched one training at once: the same request once more, cancelled. Its model's id. */
async function secondJobLike(server: NemoServer, settings: NemoSettings): Promise<string> {
  const customizer = createCustomizer(createTransport(settings, settings.url));
  const [body] = server.calls.filter((call) => call.method === 'POST' && call.path.endsWith('/jobs'));
  const { job, outputName } = await customizer.createJob(body?.body as Record<string, unknown>);
  await customizer.cancelJob(job.id);
  return `${settings.namespace}/${outputName}`;
}

/** What is so once every NIM has asked the Entity Store again. */
async function refreshed<T>(server: NemoServer, look: () => Promise<T>): Promise<T> {
  await sleep(3 * server.world.options.refreshMs);
  return look();
}

type Thing = Pick<KeptThing, 'kind' | 'id'>;

/** By what makes them in a run. */
async function make(server: NemoServer, settings: NemoSettings): Promise<InventorySetup['made']> {
  const model = await anAdapter(settings, base);
  const deployment = await createDeployer(settings, images).deploy({ model: base, baseModel: null });
  const evaluation = await evaluate(settings, 'flywheel/nano-1m');
  const ours = ({ name }: { name?: unknown }) => typeof name === 'string' && name.includes('flywheel-');
  const runId = 'run-20261121t080000z-ab12';
  const of = (kind: string, table: NemoServer['world']['tables'][keyof NemoServer['world']['tables']]) =>
    [...table].filter(([, entity]) => ours(entity)).map(([id]) => ({ kind, id }));
  const { datasets, customizationConfigs } = server.world.tables;
  return [
    { kind: 'deployment', id: deployment.id },
    { kind: 'model', id: model, runId },
    ...of('customization config', customizationConfigs),
    { kind: 'evaluation job', id: evaluation, runId },
    ...of('dataset', datasets).map((dataset) => ({ ...dataset, runId })),
  ];
}

/** The id of an evaluation that was cancelled at once. */
async function evaluate(settings: NemoSettings, model: string): Promise<string> {
  const evaluator = createEvaluator(settings);
  const body = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 2 };
  const rows = [{ itemId: 'a', body, target: { role: 'assistant', content: 'hello' } }];
  const metadata = { run_id: 'run-20261121t080000z-ab12', workload_id: 'hr-questions' };
  const { id } = await evaluator.launch({ key: 'run-1-evaluation', model, rows, metadata });
  await evaluator.cancel(id);
  return id;
}

/** Of each kind, in the namespace that Flywheel uses, without its mark. */
async function makeForeign(server: NemoServer): Promise<Thing[]> {
  const namespace = 'flywheel';
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify({ namespace, ...body }) };
    return (await (await fetch(`${server.url}${path}`, init)).json()) as { id: string };
  };
  const option = { training_type: 'sft', finetuning_type: 'lora', num_gpus: 1, micro_batch_size: 1 };
  const config = { max_seq_length: 4096, training_options: [option], target: 'flywheel/nano-1m@2.0' };
  await post('/v1/models', { name: 'somebodys@v1', base_model: base });
  await post('/v1/datasets', { name: 'somebodys', files_url: 'hf://datasets/flywheel/somebodys' });
  await post('/v1/customization/configs', { name: 'nano-1m@v1.0.0+A100', ...config });
  const tasks = { t: { type: 'data', dataset: 'flywheel/somebodys' } };
  const target = { type: 'model', model: 'flywheel/nano-1m' };
  const { id } = await post('/v1/evaluation/jobs', { config: { type: 'custom', tasks }, target });
  return [
    // What Helm deployed with the platform.
    { kind: 'deployment', id: 'flywheel/nano-1m' },
    { kind: 'model', id: 'flywheel/somebodys@v1' },
    { kind: 'customization config', id: 'flywheel/nano-1m@v1.0.0+A100' },
    { kind: 'evaluation job', id },
    { kind: 'dataset', id: 'flywheel/somebodys' },
  ];
}

async function isThere(server: NemoServer, { kind, id }: Thing): Promise<boolean> {
  const { tables, dataStore } = server.world;
  switch (kind) {
    case 'deployment':
      return tables.deployments.has(id);
    case 'model':
      return tables.models.has(id) || dataStore.repos.has(`model:${id.replace(/@.*$/, '')}`);
    case 'customization config':
      return tables.customizationConfigs.has(id);
    case 'dataset':
      return tables.datasets.has(id) || dataStore.repos.has(`dataset:${id}`);
    default:
      return (await fetch(`${server.url}/v1/evaluation/jobs/${id}`)).ok;
  }
}
