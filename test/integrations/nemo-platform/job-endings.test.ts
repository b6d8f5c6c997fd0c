import { json } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { endJobs } from '../../../activities/end-jobs.ts';
import type { EvaluationJob, Evaluator } from '../../../activities/ports/evaluator.ts';
import type { JudgeJobs } from '../../../activities/ports/judge-jobs.ts';
import type { Trainer, TrainingJob } from '../../../activities/ports/trainer.ts';
import { createEvaluator } from '../../../integrations/nemo-platform/evaluator.ts';
import { createJudgeJobs } from '../../../integrations/nemo-platform/judge.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { createTrainer } from '../../../integrations/nemo-platform/trainer.ts';
import { anAttempt, runIn } from '../../support/activity-environment.ts';
import { respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

/** Of no known form, as a proxy before the platform may want it. */
const apiKey = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmbHl3aGVlbCJ9.c2lnbmF0dXJl';
const quoting = `refused with ${apiKey}\n${'and on '.repeat(90)}`;
const quoted = /^refused with \[redacted\] and on .*…$/;

interface Job {
  readonly status: string;
  readonly error?: string;
  /** Nothing was heard of it for longer than a living job is silent. */
  readonly silent?: boolean;
  /** What the evaluator has stored of it. */
  readonly results?: readonly string[];
  /** What our plug-in's process told of its failure. */
  readonly failure?: { readonly code: string; readonly message: string };
  /** What the platform hands out of it. */
  readonly download?: unknown;
  /** Whoever cancels it dies over it: nothing is heard of the platform any more until `wakeUp`. */
  readonly diesWhenCancelled?: boolean;
}

/** A platform with one job, in a state that a real one takes an hour to come to. Until it is cancelled. */
async function setup({ status, error, silent, results = [], failure, download, diesWhenCancelled }: Job) {
  const asked: string[] = [];
  let dead = false;
  const seenAt = withoutZone(new Date(Date.now() - (silent ? 700_000 : 0)));
  const error_details = error === undefined ? null : { message: error };
  const details = { status_details: { subprocess_work_dir: '/work', failure }, error_details };
  const step = {
    name: 'run',
    updated_at: seenAt,
    error_details,
    // Of what was never started there are none.
    tasks: status === 'created' ? [] : [{ updated_at: seenAt, ...details }],
  };
  const lookedAt = { name: 'job-1', status, status_details: { step: 1 }, error_details, steps: [step] };
  const replies: Record<string, unknown> = {
    'GET status': lookedAt,
    'GET logs': {
      data: [
        { timestamp: seenAt, message: `RuntimeError: an unlucky line, Bearer abcdef-123456, ${apiKey}` },
      ],
      next_page: null,
    },
    ...(download !== undefined && { 'GET download': download }),
    'GET results': { data: results.map((name) => ({ name })) },
    'POST cancel': {},
    'PATCH status-details': null,
    // Its job controller is dead.
    'GET /status': { controllers: { status: { workspace_cleanup: true } } },
  };
  const cancelled = status === 'created' ? 'cancelled' : 'cancelling';
  /** As the platform has it of one whose process is gone: heard of again, for its step has another status. */
  const end = () => {
    const updated_at = withoutZone(new Date());
    Object.assign(lookedAt, { status: 'cancelled', steps: [{ ...step, updated_at }] });
    replies['GET status'] = lookedAt;
  };
  server = await startHttpServer(async (request, response) => {
    if (dead) return request.socket.destroy();
    const path = request.url?.split('?')[0];
    const what = `${request.method} ${path === '/status' ? path : path?.split('/').at(-1)}`;
    asked.push(what);
    if (what === 'POST cancel') replies['GET status'] = { ...lookedAt, status: cancelled };
    if (what === 'POST cancel' && diesWhenCancelled) dead = true;
    if (what === 'PATCH status-details') Object.assign(lookedAt.status_details, await json(request));
    return what in replies ? respond(response, 200, replies[what]) : respond(response, 404, { detail: what });
  });
  const settings: NemoPlatformSettings = {
    ...{ name: 'nemo', url: server.url, workspace: 'flywheel', apiKey },
  };
  const wakeUp = () => {
    dead = false;
    end();
  };
  return { settings, asked, end, wakeUp };
}

/** As the platform writes times. */
function withoutZone(time: Date): string {
  return time.toISOString().replace('Z', '');
}

type Reader = (settings: NemoPlatformSettings) => Promise<TrainingJob | EvaluationJob>;
const readers: Record<string, Reader> = {
  evaluation: (settings) => createEvaluator(settings).get('job-1'),
  judging: (settings) => createJudgeJobs(settings).get('job-1'),
  'training by automodel': (settings) => createTrainer(settings, inMemoryArtifacts()).get('job-1'),
  'training by unsloth': (settings) =>
    createTrainer({ ...settings, customizer: 'unsloth' }, inMemoryArtifacts()).get('job-1'),
  // Our plug-in's training goes on at the model server, and is adopted by the next job.
  'training by peft': (settings) =>
    createTrainer({ ...settings, customizer: 'peft' }, inMemoryArtifacts()).get('job-1'),
};
const evaluations = ['evaluation', 'judging'] as const;

describe.each(Object.entries(readers))('%s', (kind, read) => {
  test('that ran into the platform’s time limit has failed, says what to raise, and is not repeated in vain', async () => {
    const { settings } = await setup({
      status: 'error',
      error: 'Job timed out after reaching max TTL of 3600 seconds',
    });

    const job = await read(settings);

    expect(job).toMatchObject({ status: 'failed', errorRetryable: kind === 'training by peft' });
    expect(job.error).toMatch(/max TTL of 3600 seconds\. Raise ttl_seconds_active .*, now 3600 s/);
    expect(job.error).not.toContain('unlucky');
  });

  test('that failed otherwise says so, and names no time limit', async () => {
    const { settings } = await setup({ status: 'error', error: 'the process ended with 1' });

    const job = await read(settings);

    expect(job).toMatchObject({ status: 'failed', errorRetryable: false });
    expect(job.error).toContain('the process ended with 1');
    expect(job.error).not.toContain('abcdef-123456');
    expect(job.error).not.toContain('ttl_seconds_active');
  });
});

describe.each(Object.entries(readers))('%s whose reason quotes our key', (_, read) => {
  test('is told without it, in one bearable line', async () => {
    const { settings } = await setup({ status: 'error', error: quoting });

    const { error } = await read(settings);

    expect(error).toMatch(/^refused with \[redacted\] and on .*…/);
    expect(error).not.toMatch(/eyJ|\n/);
  });
});

test('nor is our key in what the plug-in tells of a failed training, or set aside', async () => {
  const row = { line: 2, code: 'bad_row', message: quoting };
  const { settings } = await setup({
    ...{ status: 'error', failure: { code: 'invalid_training_file', message: quoting } },
    download: { files: { training_file: { set_aside: [row] } } },
  });
  const trainer = createTrainer({ ...settings, customizer: 'peft' }, inMemoryArtifacts());

  const { error } = await trainer.get('job-1');
  const rows = (await trainer.setAside?.('job-1')) ?? [];

  expect(error).toMatch(quoted);
  expect(rows).toMatchObject([{ line: 2, detail: expect.stringMatching(quoted) as string }]);
});

test('nor is it in a row that the evaluator has no answer to', async () => {
  const line = {
    item: { item_id: 'a', kind: 'text' },
    ...{ sample: { inference_error: quoting }, metrics: {} },
  };
  const { settings } = await setup({ status: 'completed', download: `${JSON.stringify(line)}\n` });

  const rows = [];
  for await (const row of createEvaluator(settings).results('job-1')) rows.push(row);

  expect(rows).toMatchObject([{ itemId: 'a', error: expect.stringMatching(quoted) as string }]);
});

describe.each(Object.entries(readers))('%s that is found cancelled', (_, read) => {
  test('is worth repeating where it was lost, and whoever cancelled it for that died over it', async () => {
    const { settings, asked, wakeUp } = await setup({
      ...{ status: 'active', silent: true, diesWhenCancelled: true },
    });
    await expect(read(settings)).rejects.toMatchObject({ name: 'UnavailableError' });
    wakeUp();

    const job = await read(settings);

    expect(job).toMatchObject({ status: 'failed', errorRetryable: true });
    expect(job.error).toContain('lost job job-1');
    // Noted before, or nobody would know; and once.
    expect(asked.filter((what) => /PATCH|POST/.test(what))).toEqual(['PATCH status-details', 'POST cancel']);
  });

  test('was cancelled by somebody where it was not lost', async () => {
    const { settings, end } = await setup({ status: 'active' });
    await expect(read(settings)).resolves.toMatchObject({ status: 'running' });
    end();

    await expect(read(settings)).resolves.toMatchObject({ status: 'cancelled', errorRetryable: false });
  });
});

describe.each(evaluations)('%s that the platform lost', (kind) => {
  const read = readers[kind] as Reader;

  test('has succeeded where its process had stored the rows', async () => {
    const { settings, asked } = await setup({
      ...{ status: 'active', silent: true },
      results: ['aggregate-scores', 'row-scores'],
    });

    await expect(read(settings)).resolves.toEqual({
      ...{ id: 'job-1', status: 'succeeded', error: null, errorRetryable: false },
    });
    expect(asked).not.toContain('POST cancel');
  });

  test('is cancelled and worth repeating where it had not', async () => {
    const { settings, asked } = await setup({
      ...{ status: 'active', silent: true },
      results: ['aggregate-scores'],
    });

    const job = await read(settings);

    expect(job).toMatchObject({ status: 'failed', errorRetryable: true });
    expect(job.error).toContain('lost job job-1');
    expect(asked).toContain('POST cancel');
  });

  test('is running as long as it was heard of', async () => {
    const { settings, asked } = await setup({ status: 'active', results: ['row-scores'] });

    await expect(read(settings)).resolves.toMatchObject({ status: 'running' });
    expect(asked).toEqual(['GET status']);
  });
});

const makers: Record<string, (settings: NemoPlatformSettings) => Trainer | Evaluator | JudgeJobs> = {
  evaluation: (settings) => createEvaluator(settings),
  judging: (settings) => createJudgeJobs(settings),
  training: (settings) => createTrainer(settings, inMemoryArtifacts()),
};

describe.each(Object.entries(makers))('%s that no job controller starts', (_, make) => {
  test('is said to whoever waits for it', async () => {
    const { settings } = await setup({ status: 'created', silent: true });

    await expect(make(settings).get('job-1')).rejects.toThrow('runs no job_scheduler and no job_reconciler');
    // What is launched is found by its key.
    const request = { key: 'k', model: 'm', rows: [], answers: [], metadata: {} };
    await expect(make(settings).launch(request as never)).rejects.toThrow('runs no job_scheduler');
  });

  test('is ended all the same once nobody waits for it: else it would start with the next controller', async () => {
    const { settings, asked } = await setup({ status: 'created', silent: true });
    const jobs = make(settings);
    const ended: string[] = [];

    await runIn(anAttempt(), async () => {
      for await (const { status } of endJobs<TrainingJob | EvaluationJob>(
        { jobs, timing: { pollMs: 1, endMs: 2_000 } },
        (round) => `k-${round}`,
      ))
        ended.push(status);
    });

    expect(ended).toEqual(['cancelled']);
    expect(asked).toContain('POST cancel');
  });
});
