import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { flywheelDialect } from '../../../config/fine-tuning-dialects.ts';
import type { LoraHyperparameters } from '../../../domain/experiments/experiment.ts';
import { createTrainer } from '../../../integrations/openai/trainer.ts';
import { respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

interface Seen {
  readonly call: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server of the dialect that knows neither idempotency keys nor the metadata filter. */
async function setup(
  answers: Readonly<Record<string, object | (() => object)>>,
  apiKey: string | null = null,
) {
  const seen: Seen[] = [];
  server = await startHttpServer((request, response) => {
    void text(request).then((body) => {
      const call = `${request.method} ${request.url?.split('?')[0]}`;
      seen.push({ call, headers: request.headers, body });
      const said = answers[call];
      const answer = typeof said === 'function' ? (said as () => object)() : said;
      respond(response, answer === undefined ? 404 : 200, answer ?? { error: { message: `no ${call}` } });
    });
  });
  const artifacts = inMemoryArtifacts();
  const settings = { name: 'acme', baseUrl: `${server.url}/v1`, apiKey, dialect: flywheelDialect };
  const trainer = createTrainer(settings, artifacts);
  const to = (call: string) => seen.filter((one) => one.call === call);
  return { trainer, artifacts, to };
}

function job(id: string, overrides: object = {}) {
  return { id, status: 'running', created_at: 100, fine_tuned_model: null, error: null, ...overrides };
}
function listOf(...data: unknown[]) {
  return { object: 'list', data, has_more: false };
}

const jobs = 'GET /v1/fine_tuning/jobs';
const uploads = 'POST /v1/files';
const key = 'run-1-0123456789abcdef';
const hyperparameters: LoraHyperparameters = {
  epochs: 2,
  batchSize: 16,
  learningRate: 1e-4,
  schedule: 'linear',
  warmupRatio: 0,
  rank: 32,
  alpha: 16,
  dropout: 0.1,
};

async function aRequest(artifacts: ReturnType<typeof inMemoryArtifacts>) {
  return {
    key,
    baseModel: 'm',
    train: await artifacts.putLines(['{"räksmörgås":1}', '{"b":2}']),
    validation: await artifacts.putLines([]),
    hyperparameters,
    seed: 3,
    suffix: 'hr',
    metadata: { run_id: 'run-1' },
  };
}

test('a job is found among those of others, the first where there are two', async () => {
  const { trainer } = await setup({
    [jobs]: listOf(
      job('other', { metadata: { flywheel_key: `${key}-2` } }),
      job('second', { metadata: { flywheel_key: key }, created_at: 200 }),
      job('first', { metadata: { flywheel_key: key }, created_at: 100 }),
      job('foreign', { metadata: null }),
    ),
  });

  await expect(trainer.findAll(key)).resolves.toMatchObject([{ id: 'first' }, { id: 'second' }]);
  await expect(trainer.launch({ ...(await aRequest(inMemoryArtifacts())) })).resolves.toMatchObject({
    id: 'first',
  });
});

test('of two jobs that were made at once the first is taken, and ours that came second is cancelled', async () => {
  const metadata = { flywheel_key: key };
  const listed: unknown[] = [];
  const { trainer, artifacts, to } = await setup({
    [jobs]: () => listOf(...listed),
    'GET /v1/files': listOf(),
    [uploads]: { id: 'file-1', filename: 'x.jsonl', bytes: 1 },
    // It pays no heed to the key; while it makes ours, another process's is there.
    'POST /v1/fine_tuning/jobs': () => {
      listed.push(job('ours', { metadata, created_at: 200 }), job('theirs', { metadata, created_at: 100 }));
      return job('ours');
    },
    'POST /v1/fine_tuning/jobs/ours/cancel': job('ours', { status: 'cancelled' }),
  });

  const request = await aRequest(artifacts);
  const [launched, atOnce] = await Promise.all([trainer.launch(request), trainer.launch(request)]);

  expect([launched.id, atOnce.id]).toEqual(['theirs', 'theirs']);
  expect(to('POST /v1/fine_tuning/jobs')).toHaveLength(1);
  expect(to('POST /v1/fine_tuning/jobs/ours/cancel')).toHaveLength(1);
});

test('of several jobs of a key the one that counts goes before its age: what succeeded, what goes on', async () => {
  const made = (id: string, status: string, created_at: number) =>
    job(id, { status, created_at, metadata: { flywheel_key: key } });
  const { trainer } = await setup({
    [jobs]: listOf(
      made('surplus', 'cancelled', 100),
      made('failed', 'failed', 150),
      made('later', 'queued', 300),
      made('running', 'running', 200),
      made('done', 'succeeded', 400),
    ),
  });

  const found = await trainer.findAll(key);

  expect(found.map(({ id }) => id)).toEqual(['done', 'running', 'later', 'failed', 'surplus']);
});

test('a create carries the key in its header and its metadata, and every hyperparameter', async () => {
  const { trainer, artifacts, to } = await setup({
    [jobs]: listOf(),
    'GET /v1/files': listOf(),
    [uploads]: { id: 'file-1', filename: 'x.jsonl', bytes: 1 },
    'POST /v1/fine_tuning/jobs': job('new', { status: 'validating_files' }),
  });

  const launched = await trainer.launch(await aRequest(artifacts));

  const [create] = to('POST /v1/fine_tuning/jobs');
  expect(launched).toMatchObject({ id: 'new', status: 'queued' });
  expect(create?.headers['idempotency-key']).toBe(key);
  expect(JSON.parse(create?.body ?? '')).toEqual({
    model: 'm',
    training_file: 'file-1',
    suffix: 'hr',
    seed: 3,
    metadata: { run_id: 'run-1', flywheel_key: key },
    method: {
      type: 'supervised',
      supervised: {
        hyperparameters: {
          n_epochs: 2,
          batch_size: 16,
          learning_rate: 1e-4,
          lr_scheduler_type: 'linear',
          warmup_ratio: 0,
          lora: { rank: 32, alpha: 16, dropout: 0.1 },
        },
      },
    },
  });
});

test('an upload holds the artifact’s exact bytes, under the name of its content', async () => {
  const { trainer, artifacts, to } = await setup({
    [jobs]: listOf(),
    'GET /v1/files': listOf(),
    [uploads]: { id: 'file-1', filename: 'x.jsonl', bytes: 1 },
    'POST /v1/fine_tuning/jobs': job('new'),
  });
  const request = await aRequest(artifacts);

  await trainer.launch(request);

  const [upload] = to(uploads);
  expect(to(uploads)).toHaveLength(1);
  expect(upload?.body).toContain(`filename="${request.train.sha256}.jsonl"`);
  expect(upload?.body).toContain('\r\n\r\n{"räksmörgås":1}\n{"b":2}\n\r\n--');
});

test('what was uploaded before is not uploaded again, unless it was refused or is deleted', async () => {
  const request = await aRequest(inMemoryArtifacts());
  const file = { filename: `${request.train.sha256}.jsonl`, bytes: request.train.bytes };
  const answers = { [jobs]: listOf(), 'POST /v1/fine_tuning/jobs': job('new') };
  const { trainer, to } = await setup({
    ...answers,
    'GET /v1/files': listOf(
      { id: 'file-refused', ...file, status: 'error' },
      { id: 'file-deleted', ...file, status: 'deleted' },
      { id: 'file-of-unknown-size', ...file, bytes: null, status: 'processed' },
      { id: 'file-other', ...file, bytes: 1, status: 'processed' },
      { id: 'file-there', ...file, status: 'processed' },
    ),
  });

  await trainer.launch(request);

  const [create] = to('POST /v1/fine_tuning/jobs');
  expect(to(uploads)).toHaveLength(0);
  expect(JSON.parse(create?.body ?? '')).toMatchObject({ training_file: 'file-there' });
});

test.each([
  ['validating_files', 'queued'],
  ['pausing', 'running'],
  ['succeeded', 'succeeded'],
  ['something_new', 'running'],
])('the status %s is read as %s', async (status, expected) => {
  const { trainer } = await setup({ 'GET /v1/fine_tuning/jobs/job-1': job('job-1', { status }) });

  await expect(trainer.get('job-1')).resolves.toMatchObject({ status: expected });
});

test.each([
  ['server_restarted', true],
  ['trainer_died', true],
  ['invalid_training_file', false],
  [null, false],
])('a job that failed with %s is worth repeating: %s', async (code, errorRetryable) => {
  const { trainer } = await setup({
    'GET /v1/fine_tuning/jobs/job-1': job('job-1', { status: 'failed', error: { code, message: 'why' } }),
  });

  await expect(trainer.get('job-1')).resolves.toMatchObject({ error: 'why', errorRetryable });
});

test('a key that a job quotes is in no error and no reason, which are one bearable line', async () => {
  const apiKey = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmbHl3aGVlbCJ9.c2lnbmF0dXJl';
  const message = `cannot read with ${apiKey}\n${'and on '.repeat(90)}`;
  const failed = job('job-1', { status: 'failed', metadata: { flywheel_key: key }, error: { message } });
  const { trainer, artifacts } = await setup(
    {
      [jobs]: listOf(failed),
      'GET /v1/fine_tuning/jobs/job-1': failed,
      'GET /v1/fine_tuning/jobs/job-1/set_aside': {
        files: { training_file: { set_aside: [{ line: 2, code: 'bad_row', message }] } },
      },
    },
    apiKey,
  );

  const found = [
    await trainer.get('job-1'),
    await trainer.launch(await aRequest(artifacts)),
    ...(await trainer.findAll(key)),
  ].map(({ error }) => error);
  const rows = (await trainer.setAside?.('job-1')) ?? [];

  for (const told of [...found, ...rows.map(({ detail }) => detail)]) {
    expect(told).toMatch(/^cannot read with \[redacted\] and on .*…$/);
    expect(told?.length).toBeLessThan(450);
  }
  expect([found.length, rows.length]).toEqual([3, 1]);
});

test('progress is the newest step, with the newest validation loss behind it', async () => {
  const metrics = (data: object) => ({ type: 'metrics', data });
  const { trainer } = await setup({
    'GET /v1/fine_tuning/jobs/job-1/events': listOf(
      { type: 'message', data: {} },
      metrics({ step: 9, total_steps: 40, train_loss: 0.5 }),
      metrics({ step: 8, total_steps: 40, valid_loss: 0.7 }),
      metrics({ step: 4, total_steps: 40, valid_loss: 0.9 }),
    ),
  });

  const progress = await trainer.progress('job-1');

  expect(progress).toEqual({ step: 9, totalSteps: 40, trainLoss: 0.5, validationLoss: 0.7 });
});

test('a server that does not list what it set aside does not tell', async () => {
  const { trainer } = await setup({});

  await expect(trainer.setAside?.('job-1')).resolves.toEqual([]);
});

test('a refused cancellation of a job that goes on is an error', async () => {
  const { trainer } = await setup({ 'GET /v1/fine_tuning/jobs/job-1': job('job-1') });

  await expect(trainer.cancel('job-1')).rejects.toMatchObject({ name: 'RejectedError' });
});
