import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, inject, test } from 'vitest';
import { hasEnded } from '../../activities/ports/trainer.ts';
import { pythonPath } from '../../cli/setup/python-environment.ts';
import { flywheelDialect } from '../../config/fine-tuning-dialects.ts';
import { defaultLora } from '../../domain/experiments/defaults.ts';
import { createFileArtifactStore } from '../../integrations/files/artifact-store.ts';
import { createChatModel } from '../../integrations/openai/chat-model.ts';
import { createTrainer } from '../../integrations/openai/trainer.ts';
import { respond, startHttpServer, type TestHttpServer } from '../support/http-server.ts';
import {
  aDecision,
  anEvaluationSummary,
  anItem,
  aReport,
  aServing,
  aSpec,
  aVerdict,
  openedRun,
} from '../support/lineage.ts';
import { setup } from './support/cli.ts';

const run = promisify(execFile);
const digest = 'digest-1';
const messages = [{ role: 'user', content: 'ping 3' }];
const baseFolder = resolve(import.meta.dirname, '../../model-server/models/nano-1m');

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

type Lineage = Awaited<ReturnType<typeof setup>>['lineage'];

/** An approved run whose LoRA experiment made the adapter, as its activities leave it. */
async function aTrainedRun(lineage: Lineage, model: string): Promise<void> {
  const spec = aSpec('run-1');
  const { experimentId } = spec;
  const evaluationId = 'eval-1';
  const at = { experimentId, datasetId: 'data-run-1' };
  await openedRun(lineage, 'run-1');
  await lineage.experiments.open('run-1', spec);
  const job = { jobId: 'ftjob-1', provider: 'local', key: 'run-1-key', status: 'succeeded' as const };
  const list = { uri: 'artifact:sha256/aa', sha256: 'aa', bytes: 1, rows: 2 };
  const setAside = { train: 2, validation: 0, reasons: { row_too_long: 2 }, list };
  await lineage.experiments.recordJob({ ...at, ...job, hyperparameters: { epochs: 3, rank: 8 }, setAside });
  await lineage.experiments.recordAdapter({
    ...at,
    model,
    provider: 'local',
    baseModel: 'nano-1m',
    jobId: 'ftjob-1',
  });
  await lineage.evaluations.open({ ...at, evaluationId, serving: aServing(model), total: 3 });
  const scored = (accuracy: number) => ({ scores: { tool_accuracy: accuracy } });
  await lineage.evaluations.storeItems(evaluationId, [
    anItem('a', { ...scored(1), response: { said: 'a customer’s words' } }),
    anItem('b', scored(1)),
    anItem('c', { ...scored(0), failure: 'timeout', failureDetail: 'of a customer' }),
  ]);
  const evaluation = anEvaluationSummary(evaluationId, { metrics: { tool_accuracy: 2 / 3 } });
  await lineage.evaluations.close(evaluation);
  const serving = aServing(model);
  await lineage.experiments.close(aReport(spec, { serving, evaluation }));
  await lineage.decisions.recordVerdict('run-1', aVerdict(spec), digest, serving);
  await lineage.decisions.openGate({
    runId: 'run-1',
    workloadId: 'hr',
    digest,
    expiresAt: '2027-01-01T00:00:00.000Z',
  });
  await lineage.decisions.recordDecision('run-1', aDecision('decision-1', digest), 'approved');
  await lineage.runs.close('run-1', 'completed');
  const move = { moveId: 'm1', workloadId: 'hr', serving, digest, runId: 'run-1' };
  await lineage.routes.move({ ...move, kind: 'promotion', actor: 'grace', reason: 'looks right' });
}

async function anAdapter(home: string): Promise<string> {
  const artifacts = createFileArtifactStore(join(home, 'artifacts'));
  const trainer = createTrainer(
    {
      name: 'local',
      baseUrl: `${inject('modelServerUrl')}/v1`,
      apiKey: null,
      dialect: flywheelDialect,
    },
    artifacts,
  );
  const rows = Array.from({ length: 32 }, (_, n) =>
    JSON.stringify({
      messages: [
        { role: 'user', content: `ping ${n}` },
        { role: 'assistant', content: 'pong' },
      ],
    }),
  );
  const launched = await trainer.launch({
    ...{ key: `run-${Math.random()}`, baseModel: 'nano-1m', seed: 1, suffix: 'export', metadata: {} },
    ...{ train: await artifacts.putLines(rows), validation: await artifacts.putLines([]) },
    hyperparameters: {
      ...defaultLora,
      epochs: 3,
      batchSize: 8,
      learningRate: 5e-3,
      rank: 8,
      alpha: 8,
      dropout: 0,
    },
  });
  for (;;) {
    const job = await trainer.get(launched.id);
    if (hasEnded(job)) {
      expect(job).toMatchObject({ status: 'succeeded' });
      return job.model ?? '';
    }
    await new Promise((done) => setTimeout(done, 200));
  }
}

async function json(...path: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(...path), 'utf8')) as Record<string, unknown>;
}

test('the exported folder loads with PEFT alone, and answers as the server does', async () => {
  const cli = await setup({ MODEL_SERVER_URL: inject('modelServerUrl') });
  const model = await anAdapter(cli.home);
  await aTrainedRun(cli.lineage, model);
  const dir = join(cli.home, 'out');

  const ran = await cli.run('export-adapter', 'hr', dir, '--base-name', 'acme/nano-1m', '--json');

  expect(ran).toMatchObject({ code: 0 });
  expect(ran.json()).toMatchObject({
    model,
    dir,
    base: 'acme/nano-1m',
    verdict: { outcome: 'promote', won: true },
  });
  expect((await readdir(dir)).sort()).toEqual([
    ...['LICENSE', 'README.md', 'adapter_config.json', 'adapter_model.safetensors'],
    ...['evaluation.json', 'evaluation.jsonl', 'lineage.json'],
  ]);
  expect(await json(dir, 'adapter_config.json')).toMatchObject({
    base_model_name_or_path: 'acme/nano-1m',
    r: 8,
  });
  expect(await readFile(join(dir, 'LICENSE'), 'utf8')).toBe(
    await readFile(join(baseFolder, 'LICENSE'), 'utf8'),
  );
  const card = await readFile(join(dir, 'README.md'), 'utf8');
  expect(card).toContain('license: "apache-2.0"');
  expect(card).toContain("95 % interval (Wilson) of this adapter's tool_accuracy: 0.208 to 0.939.");
  expect(card).toContain('| left out by the trainer | 2 train, 0 validation |');
  expect(await json(dir, 'lineage.json')).toMatchObject({
    ...{ digest, synthetic: true, run: { runId: 'run-1' }, dataset: { hash: 'a'.repeat(64) } },
    job: { key: 'run-1-key', setAside: { train: 2 }, hyperparameters: { epochs: 3 } },
    approval: { actor: 'grace', outcome: 'approve' },
    route: { live: true },
  });
  const items = await readFile(join(dir, 'evaluation.jsonl'), 'utf8');
  expect(items.trim().split('\n')).toHaveLength(3);
  expect(items).toContain('"recordId":"rec_a"');
  expect(items).not.toContain('customer');

  const script = join(import.meta.dirname, 'support/answer_with_peft.py');
  const { stdout } = await run(await pythonPath(), [script, baseFolder, dir, JSON.stringify(messages)]);
  const answers = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<'base' | 'adapter', string>;
  const chat = createChatModel({ name: 'local', baseUrl: `${inject('modelServerUrl')}/v1`, apiKey: null });
  const body = { messages, temperature: 0, max_completion_tokens: 24 };
  const { response } = await chat.complete({ model, body, timeoutMs: 60_000 });
  const [choice] = response['choices'] as { message: { content: string } }[];
  expect(answers.adapter).toBe(choice?.message.content);
  expect(answers.adapter).not.toBe(answers.base);

  const again = await cli.run('export-adapter', model, dir);
  expect(again).toMatchObject({ code: 2 });
  expect(again.stderr).toContain('is not empty');
  const forced = await cli.run('export-adapter', model, dir, '--force', '--with-items');
  expect(forced.code).toBe(0);
  expect(await readFile(join(dir, 'evaluation.jsonl'), 'utf8')).toContain('a customer’s words');
  expect(await json(dir, 'adapter_config.json')).toMatchObject({ base_model_name_or_path: 'nano-1m' });
}, 600_000);

const config = '{"r": 8, "base_model_name_or_path": "/somewhere/else"}';
function listed(name: string, content: string) {
  return { name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

/** A model server that lists two files and sends what the test says. */
async function cliBefore(contents: Readonly<Record<string, string>>) {
  const files = [listed('adapter_config.json', config), listed('adapter_model.safetensors', 'weights')];
  server = await startHttpServer((request, response) => {
    const name = request.url?.split('/').at(-1) ?? '';
    if (name === 'files')
      return respond(response, 200, { data: files, base: { id: 'b', hub_id: null, data: [] } });
    respond(response, 200, contents[name] ?? '', { 'content-type': 'application/octet-stream' });
  });
  const cli = await setup({ MODEL_SERVER_URL: server.url });
  await aTrainedRun(cli.lineage, 'ft:x');
  return cli;
}

test('weights that do not arrive as listed leave nothing behind, and what was there', async () => {
  const cli = await cliBefore({ 'adapter_config.json': config, 'adapter_model.safetensors': 'weight' });
  const dir = join(cli.home, 'out');
  await mkdir(dir);
  await writeFile(join(dir, 'mine.txt'), 'mine');

  const ran = await cli.run('export-adapter', 'ft:x', dir, '--force');

  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain('adapter_model.safetensors arrived with 6 bytes that are not the 7 listed');
  expect(await readdir(dir)).toEqual(['mine.txt']);
  expect((await readdir(cli.home)).filter((name) => name.startsWith('.out'))).toEqual([]);
});

test('a base of which nothing is known leaves a LICENSE that says so', async () => {
  const cli = await cliBefore({ 'adapter_config.json': config, 'adapter_model.safetensors': 'weights' });
  const dir = join(cli.home, 'deep', 'out');

  const ran = await cli.run('export-adapter', 'hr', dir);

  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stderr).toContain('The licence of its base model is not known');
  expect(await readFile(join(dir, 'LICENSE'), 'utf8')).toContain('Its licence is not known here');
  expect(await readFile(join(dir, 'README.md'), 'utf8')).not.toMatch(/^license:/m);
});

test('a provider that keeps its weights is named', async () => {
  server = await startHttpServer((_, response) => respond(response, 404, { detail: 'Not Found' }));
  const cli = await setup({ MODEL_SERVER_URL: server.url });
  await aTrainedRun(cli.lineage, 'ft:x');

  const ran = await cli.run('export-adapter', 'ft:x', join(cli.home, 'out'), '--json');

  expect(ran.code).toBe(1);
  expect(ran.json()).toMatchObject({
    error: { code: 'not_exportable', message: 'Provider "local" does not let the weights of ft:x be read.' },
  });
});

test('what is no adapter is told apart', async () => {
  const cli = await setup();
  await aTrainedRun(cli.lineage, 'ft:x');
  const move = { workloadId: 'hr', digest: null, runId: null, actor: 'ada', reason: 'a test' };
  const dir = join(cli.home, 'out');

  const unknown = await cli.run('export-adapter', 'nothing', dir);
  await cli.lineage.routes.move({ ...move, moveId: 'm2', serving: aServing('nano-1m'), kind: 'promotion' });
  const base = await cli.run('export-adapter', 'hr', dir);
  const elsewhere = await cli.run('export-adapter', 'ft:x', dir, '--provider', 'openai');

  expect(unknown.stderr).toContain('no adapter and no route of a workload called "nothing"');
  expect(base.stderr).toContain('is served by nano-1m, which is not an adapter');
  expect(elsewhere.stderr).toContain('Provider "openai" has no adapter "ft:x"; local has.');
});
