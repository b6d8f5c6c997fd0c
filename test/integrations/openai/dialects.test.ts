import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type DialectEntry, DialectEntry as Entry, toDialect } from '../../../config/fine-tuning-dialects.ts';
import { sha256 } from '../../../domain/hash.ts';
import { createTrainer } from '../../../integrations/openai/trainer.ts';
import { respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';

/**
 * The form of each dialect's requests. Those of `openai` are the types of OpenAI's Python package; the others are
 * their providers' documents: none of the hosted services was ever asked.
 */

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

const key = 'run-1-0123456789abcdef';
const keyFile = `flywheel-${sha256(key).slice(0, 32)}.jsonl`;

interface Listed {
  readonly files?: readonly object[];
  readonly jobs?: readonly object[];
  /** It says that there is more, and pays no heed to where a page should begin. */
  readonly pageless?: boolean;
}

/** A server that lists what it is told and accepts every job under `jobsPath`. */
async function setup(entry: unknown, listed: Listed = {}) {
  const dialect = toDialect(Entry.parse(entry) satisfies DialectEntry);
  const seen: { call: string; query: string; body: string }[] = [];
  const jobs = `/v1${dialect.jobsPath}`;
  server = await startHttpServer((request, response) => {
    void text(request).then((body) => {
      const [path = '', query = ''] = (request.url ?? '').split('?');
      seen.push({ call: `${request.method} ${path}`, query: decodeURIComponent(query), body });
      const created = { id: 'job-1', status: 'queued', created_at: 100 };
      const answers: Record<string, unknown> = {
        'GET /v1/files': { object: 'list', data: listed.files ?? [], has_more: false },
        'POST /v1/files': { id: 'file-new', filename: 'x.jsonl', bytes: 1 },
        [`GET ${jobs}`]: {
          object: 'list',
          data: listed.jobs ?? [],
          has_more: listed.pageless === true,
        },
        [`POST ${jobs}`]: created,
        [`POST ${jobs}/job-1/cancel`]: created,
      };
      const answer = answers[`${request.method} ${path}`];
      respond(response, answer === undefined ? 404 : 200, answer ?? { error: { message: 'no such route' } });
    });
  });
  const artifacts = inMemoryArtifacts();
  const settings = { name: 'acme', baseUrl: `${server.url}/v1`, apiKey: null, dialect };
  const to = (call: string) => seen.filter((one) => one.call === call);
  const launch = async () =>
    createTrainer(settings, artifacts).launch({
      key,
      baseModel: 'm',
      train: await artifacts.putLines(['{"a":1}']),
      validation: await artifacts.putLines(['{"b":2}']),
      hyperparameters: {
        ...{ epochs: 2, batchSize: 16, learningRate: 1e-4, schedule: 'linear', warmupRatio: 0.1 },
        ...{ rank: 32, alpha: 16, dropout: 0.1 },
      },
      seed: 3,
      suffix: 'help-desk-of-the-whole-company',
      metadata: { run_id: 'run-1' },
    });
  const body = () => JSON.parse(to(`POST ${jobs}`)[0]?.body ?? 'null') as unknown;
  return { trainer: createTrainer(settings, artifacts), launch, to, body, jobs };
}

const files = { training_file: 'file-new', validation_file: 'file-new' };
const suffix = 'help-desk-of-the-whole-company';

describe('a dialect of fine-tuning jobs', () => {
  it.each([
    [
      'openai',
      {
        ...{ model: 'm', ...files, suffix, seed: 3, metadata: { run_id: 'run-1', flywheel_key: key } },
        method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 2, batch_size: 16 } } },
      },
    ],
    [
      'azure',
      {
        ...{ model: 'm', ...files, suffix, seed: 3 },
        hyperparameters: { n_epochs: 2, batch_size: 16 },
      },
    ],
    [
      'nebius',
      {
        ...{ model: 'm', ...files, suffix, seed: 3 },
        hyperparameters: {
          ...{ n_epochs: 2, batch_size: 16, learning_rate: 1e-4, warmup_ratio: 0.1 },
          ...{ lora: true, lora_r: 32, lora_alpha: 16, lora_dropout: 0.1 },
        },
      },
    ],
    [
      'flywheel',
      {
        ...{ model: 'm', ...files, suffix, seed: 3, metadata: { run_id: 'run-1', flywheel_key: key } },
        method: {
          type: 'supervised',
          supervised: {
            hyperparameters: {
              ...{ n_epochs: 2, batch_size: 16, learning_rate: 1e-4 },
              ...{ lr_scheduler_type: 'linear', warmup_ratio: 0.1 },
              lora: { rank: 32, alpha: 16, dropout: 0.1 },
            },
          },
        },
      },
    ],
  ])('%s: its job has its fields and no other', async (name, expected) => {
    const { launch, body } = await setup(name);

    await launch();

    expect(body()).toEqual(expected);
  });

  it('may have a path, fields and words of its own, as a provider that is only like it', async () => {
    const own = {
      ...{ like: 'openai', jobs_path: '/fine-tunes', hyperparameters_in: '', reply_model: 'output_name' },
      body: { training_type: { type: 'Lora' } },
      hyperparameters: { epochs: 'n_epochs', learning_rate: 'learning_rate', rank: 'training_type.lora_r' },
      ...{ seed: null, metadata: null },
      statuses: { completed: 'succeeded', cancel_requested: 'running', error: 'failed' },
    };
    const done = {
      ...{ id: 'job-1', status: 'completed', created_at: '2026-11-01T10:00:00Z' },
      ...{ training_file: 'file-ours', output_name: 'me/m-help' },
    };
    const { launch, trainer, body, to } = await setup(own);

    await launch();
    await trainer.cancel('job-1');

    expect(body()).toEqual({
      ...{ model: 'm', ...files, suffix, n_epochs: 2, learning_rate: 1e-4 },
      training_type: { type: 'Lora', lora_r: 32 },
    });
    expect(to('POST /v1/fine-tunes/job-1/cancel')).toHaveLength(1);
    await server?.close();
    const again = await setup(own, {
      files: [{ id: 'file-ours', filename: keyFile, bytes: 9 }],
      jobs: [done],
    });
    expect(await again.launch()).toMatchObject({ id: 'job-1', status: 'succeeded', model: 'me/m-help' });
    expect(again.to('POST /v1/fine-tunes')).toEqual([]);
  });

  it('cuts a suffix that is longer than the provider takes', async () => {
    const { launch, body } = await setup({ like: 'openai', longest_suffix: 18 });

    await launch();

    expect(body()).toMatchObject({ suffix: 'help-desk-of-the-w' });
  });

  it('without metadata: a job is found again by its training file, which is named after the key', async () => {
    const ours = { id: 'file-ours', filename: keyFile, bytes: 8, status: 'processed' };
    const job = (id: string, training_file: string, created_at: number) => ({
      ...{ id, status: 'running', training_file, created_at },
    });
    const first = await setup('azure');
    await first.launch();
    const [upload] = first.to('POST /v1/files');
    expect(upload?.body).toContain(`filename="${keyFile}"`);
    await server?.close();

    const { trainer, to, jobs } = await setup('azure', {
      files: [ours, { ...ours, id: 'file-other', filename: 'x.jsonl' }],
      jobs: [
        job('another', 'file-other', 50),
        job('second', 'file-ours', 200),
        job('first', 'file-ours', 100),
      ],
      pageless: true,
    });

    expect(await trainer.findAll(key)).toMatchObject([{ id: 'first' }, { id: 'second' }]);
    expect(await trainer.findAll(`${key}-2`)).toEqual([]);
    // The second page is the first again: nothing more will come.
    expect(to(`GET ${jobs}`).map(({ query }) => query)).toEqual(['limit=100', 'limit=100&after=first']);
  });

  it('with metadata: the list is asked for the key, where it can be', async () => {
    const filtered = await setup('openai');
    await filtered.trainer.findAll(key);
    expect(filtered.to(`GET ${filtered.jobs}`)[0]?.query).toBe(`metadata[flywheel_key]=${key}&limit=100`);
    await server?.close();

    const whole = await setup({ like: 'openai', filters_by_metadata: false });
    await whole.trainer.findAll(key);
    expect(whole.to(`GET ${whole.jobs}`)[0]?.query).toBe('limit=100');
  });
});
