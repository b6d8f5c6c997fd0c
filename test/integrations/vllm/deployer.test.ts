import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { flywheelDialect } from '../../../config/fine-tuning-dialects.ts';
import { defaultLora } from '../../../domain/experiments/defaults.ts';
import { createAdapterFiles } from '../../../integrations/openai/adapter-files.ts';
import { createTrainer } from '../../../integrations/openai/trainer.ts';
import { createAdapterFolder } from '../../../integrations/vllm/adapter-folder.ts';
import { busyAdapters } from '../../../integrations/vllm/busy.ts';
import { createDeployer } from '../../../integrations/vllm/deployer.ts';
import { startVllm, type VllmServer } from '../../contract-servers/vllm.ts';
import { describeDeployer } from '../../contracts/deployer.contract.ts';
import { respond, startHttpServer } from '../../support/http-server.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';
import { trainingRow } from '../../support/nemo-platform-adapter.ts';

const base = 'nano-1m';
const modelServer = { name: 'local', baseUrl: `${inject('modelServerUrl')}/v1`, apiKey: null };
const trained: string[] = [];
let folder: string;
let vllm: VllmServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flywheel-vllm-'));
  trained.push(await train('vllm-a', trainingRow), await train('vllm-b', chatRow));
  const foreign = { name: 'operators-own', adapter: trained[1] ?? '' };
  vllm = await startVllm(inject('modelServerUrl'), base, foreign);
}, 300_000);
afterAll(async () => {
  await vllm.close();
  await rm(folder, { recursive: true, force: true });
});

/** Another lesson than `trainingRow`'s: twins could not be told apart. */
function chatRow(n: number): string {
  const messages = [
    { role: 'user', content: `what is the ${n}th colour of the rainbow` },
    { role: 'assistant', content: 'ask a painter' },
  ];
  return JSON.stringify({ messages });
}

async function train(suffix: string, row: (n: number) => string): Promise<string> {
  const artifacts = inMemoryArtifacts();
  const trainer = createTrainer({ ...modelServer, dialect: flywheelDialect }, artifacts);
  const { id } = await trainer.launch({
    ...{ key: `${suffix}-${Date.now()}`, baseModel: base, seed: 1, suffix, metadata: {} },
    train: await artifacts.putLines(Array.from({ length: 8 }, (_, n) => row(n))),
    validation: await artifacts.putLines([]),
    hyperparameters: { ...defaultLora, epochs: 1, batchSize: 8, rank: 4, alpha: 4 },
  });
  for (;;) {
    const { model, status, error } = await trainer.get(id);
    if (model !== null) return model;
    if (status === 'failed') throw new Error(`the adapter's training failed: ${error}`);
    await pause(300);
  }
}

function setup({ recorded = true, drainMs = 30_000 } = {}) {
  const { probes: _, ...withoutRecord } = createAdapterFiles(modelServer);
  const source = recorded ? createAdapterFiles(modelServer) : withoutRecord;
  const adapters = createAdapterFolder({ folder, seenAs: folder }, [source]);
  const settings = { name: 'gpu-box', baseUrl: `${vllm.url}/v1`, apiKey: null, drainMs };
  return { deployer: createDeployer(settings, adapters), settings };
}

async function answers(model: string): Promise<boolean> {
  const body = { model, messages: [{ role: 'user', content: 'hi' }], max_tokens: 2 };
  const reply = await fetch(`${vllm.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return reply.ok;
}

describeDeployer(
  'vLLM',
  async () => {
    const [first = '', second = ''] = trained;
    return {
      deployer: setup().deployer,
      target: { model: first, baseModel: base },
      sharing: [
        { model: first, baseModel: base },
        { model: second, baseModel: base },
      ],
      foreign: { model: 'operators-own', baseModel: base },
      broken: { model: 'never-trained', baseModel: base },
      answers,
    };
  },
  { sharing: true, foreign: true },
);

test('an adapter’s files lie in its folder while it is loaded, and are gone with it', async () => {
  const { deployer } = setup();
  const target = { model: trained[0] ?? '', baseModel: base };

  const { id } = await deployer.deploy(target);
  const [name = ''] = await readdir(folder);
  expect(await readdir(join(folder, name))).toEqual(
    expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors']),
  );
  await deployer.remove(id, target);

  expect(await readdir(folder)).toEqual([]);
});

test('a vLLM that was started anew has lost its adapters, and is given them again', async () => {
  const { deployer } = setup();
  const target = { model: trained[0] ?? '', baseModel: base };
  const { id } = await deployer.deploy(target);

  vllm.restart();

  expect(await deployer.get(id)).toBeNull();
  expect(await answers(target.model)).toBe(false);
  expect(await deployer.deploy(target)).toMatchObject({ id, status: 'ready', ours: true });
  expect(await answers(target.model)).toBe(true);
  await deployer.remove(id, target);
});

test('an adapter that no trainer has, and a base model that it does not serve, fail with the reason', async () => {
  const { deployer, settings } = setup();

  await expect(deployer.deploy({ model: 'never-trained', baseModel: base })).rejects.toThrow(
    'No trainer hands out the files of never-trained',
  );
  expect(await deployer.deploy({ model: 'llama', baseModel: null })).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('base model chosen at its start'),
  });
  const without = createDeployer(settings, null);
  expect(await without.deploy({ model: 'x', baseModel: base })).toMatchObject({ status: 'failed' });
});

test.each([
  ['its trainer’s record', true],
  ['a few texts, where nobody kept a record', false],
])('an adapter is ready once %s shows that it is applied', async (_, recorded) => {
  const { deployer } = setup({ recorded });
  const [model = '', other = ''] = trained;
  const target = { model, baseModel: base };
  const remove = async () => deployer.remove(model, target);

  expect(await deployer.deploy(target)).toMatchObject({ status: 'ready' });
  await remove();

  vllm.answersAs.set(model, base);
  expect(await deployer.deploy(target)).toMatchObject({
    ...{ id: model, status: 'failed', ours: true },
    error: expect.stringMatching(/the base.* answers under its name/i),
  });
  // It is listed by now, as it would be for whoever comes after a process that died before the proof.
  expect(await deployer.deploy(target)).toMatchObject({ status: 'failed', ours: true });
  vllm.answersAs.set(model, other);
  expect(await deployer.deploy(target)).toMatchObject({ status: recorded ? 'failed' : 'ready' });
  vllm.answersAs.delete(model);
  expect(await deployer.deploy(target)).toMatchObject({ status: 'ready' });
  await remove();
});

test('what is busy for ever is unloaded when the time to drain is over', async () => {
  const { deployer } = setup({ drainMs: 600 });
  const target = { model: trained[0] ?? '', baseModel: base };
  const { id } = await deployer.deploy(target);
  vllm.busy.add(id);

  await deployer.remove(id, target);

  expect(vllm.log.at(-1)).toBe(`unload ${id} in the middle of an answer`);
  vllm.busy.delete(id);
});

test('requests that are under way are waited for before an adapter goes', async () => {
  const { deployer } = setup();
  const target = { model: trained[0] ?? '', baseModel: base };
  const { id } = await deployer.deploy(target);
  vllm.busy.add(id);
  setTimeout(() => vllm.busy.delete(id), 1_200);

  await deployer.remove(id, target);

  expect(vllm.log.at(-1)).toBe(`unload ${id}`);
});

test('a bare key of no known form is in no error that quotes it', async () => {
  const apiKey = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmbHl3aGVlbCJ9.c2lnbmF0dXJl';
  const server = await startHttpServer((_, response) =>
    respond(response, 400, {
      error: { message: `cannot use ${apiKey}`, type: 'BadRequestError', code: 400 },
    }),
  );
  const deployer = createDeployer({ name: 'gpu-box', baseUrl: `${server.url}/v1`, apiKey }, null);

  await expect(deployer.get('x')).rejects.toThrow('gpu-box could not list models: 400 cannot use [redacted]');
  await server.close();
});

test('the newest sample of the gauge tells who is busy', () => {
  const line = (running: string, waiting: string, at: number) =>
    `vllm:lora_requests_info{max_lora="1",running_lora_adapters="${running}",waiting_lora_adapters="${waiting}"} ${at}`;

  expect(busyAdapters([line('a', '', 2), line('b,c', 'd', 3), line('e', '', 1)].join('\n'))).toEqual([
    'b',
    'c',
    'd',
  ]);
  expect(busyAdapters('')).toEqual([]);
});
