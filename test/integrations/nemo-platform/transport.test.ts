import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { createJobsClient } from '../../../integrations/nemo-platform/jobs.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { createTransport } from '../../../integrations/nemo-platform/transport.ts';
import { respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A platform that answers in turn what it is told, the last for ever; what a well-behaved one will not say. */
async function setup(...answers: Answer[]) {
  const asked: string[] = [];
  server = await startHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url === '/health/ready') return respond(response, 200, { status: 'ready' });
    const nth = asked.filter((line) => !line.includes('/health/')).length - 1;
    return answers[Math.min(nth, answers.length - 1)]?.(request, response);
  });
  const settings: NemoPlatformSettings = {
    name: 'nemo',
    url: server.url,
    workspace: 'flywheel',
    apiKey: 'nvapi-0123456789abcdef',
  };
  return { settings, transport: createTransport(settings), asked };
}

const says =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    respond(response, status, body, headers);
const fine = says(200, { ok: true });
const get = { doing: 'look', method: 'GET', path: '/x', reply: z.object({ ok: z.boolean() }) } as const;
const post = { ...get, method: 'POST', body: { spec: { epochs: -1 } } } as const;

test('a question is repeated when the platform fails, and no more than twice', async () => {
  const once = await setup(says(503, { detail: 'starting' }), fine);
  await expect(once.transport.call(get)).resolves.toEqual({ ok: true });
  await server?.close();

  const { transport, asked } = await setup(says(503, { detail: 'starting' }));
  await expect(transport.call(get)).rejects.toMatchObject({ name: 'UnavailableError', kind: 'busy' });

  expect(asked).toHaveLength(3);
});

test('what lost a race with another write is repeated where that changes nothing', async () => {
  const race = says(409, {
    detail: "Entity 'att-1' was modified by another request. Please refetch and retry.",
  });
  const { transport, asked } = await setup(race, fine);

  await expect(transport.call({ ...post, idempotent: true })).resolves.toEqual({ ok: true });

  expect(asked).toEqual(['POST /x', 'POST /x']);
});

test('what changes something is not repeated', async () => {
  const { transport, asked } = await setup(says(503, { detail: 'starting' }), fine);

  await expect(transport.call(post)).rejects.toMatchObject({ name: 'UnavailableError' });

  expect(asked).toEqual(['POST /x']);
});

test('a long wait is the caller’s, who is told how long', async () => {
  const { transport, asked } = await setup(says(429, { detail: 'slow down' }, { 'retry-after': '90' }), fine);

  await expect(transport.call(get)).rejects.toMatchObject({ kind: 'busy', retryAfterMs: 90_000 });

  expect(asked).toHaveLength(1);
});

test('a request that makes a healthy platform fail twice is refused, with the form of what was sent', async () => {
  const { transport, asked } = await setup(says(500, 'Internal Server Error'));

  const call = transport.call(post);

  await expect(call).rejects.toMatchObject({ name: 'RejectedError', code: 'server_error' });
  await expect(call).rejects.toThrow('(it has spec of 13 characters)');
  expect(asked).toEqual(['POST /x', 'GET /health/ready', 'POST /x']);
});

test('a bare key of no known form is in no error that quotes it', async () => {
  const { settings } = await setup(says(400, { detail: 'cannot use eyJhbGciOiJIUzI1NiJ9.c2lnbmF0dXJl' }));
  const transport = createTransport({ ...settings, apiKey: 'eyJhbGciOiJIUzI1NiJ9.c2lnbmF0dXJl' });

  await expect(transport.call(post)).rejects.toThrow('400 cannot use [redacted]');
});

test('a failure that passes is no refusal', async () => {
  const { transport } = await setup(says(500, 'Internal Server Error'), fine);

  await expect(transport.call(post)).rejects.toMatchObject({ name: 'UnavailableError', kind: 'failing' });
});

test.each([
  [404, { detail: 'Job not found' }, 'not_found', /Job not found/],
  [409, { detail: 'exists' }, 'conflict', /exists/],
  [
    422,
    { detail: [{ loc: ['body', 'spec', 'epochs'], msg: 'must be positive' }] },
    'invalid',
    /spec\.epochs: must/,
  ],
  [404, { detail: "No VirtualModel named 'w/x' was found." }, 'model_not_found', /w\/x/],
  [
    400,
    { detail: '{"error":{"message":"too long","code":"context_length_exceeded"}}' },
    'context_length_exceeded',
    /too long/,
  ],
  [
    502,
    { detail: 'Backend returned 404: {"error":{"message":"no such adapter","code":"model_not_found"}}' },
    'model_not_found',
    /no such adapter/,
  ],
  [401, { detail: 'key nvapi-0123456789abcdef is not known' }, 'unauthorized', /credentials were refused/],
])('%i %j is %s', async (status, body, code, text) => {
  const { transport } = await setup(says(status, body));

  const call = transport.call({ ...get, method: 'POST' });

  await expect(call).rejects.toMatchObject({ name: 'RejectedError', code });
  await expect(call).rejects.toThrow(text);
  await expect(call).rejects.not.toThrow(/0123456789abcdef/);
});

test('a body that never comes ends with the time allowed', async () => {
  const { transport } = await setup((_, response) => response.writeHead(200).write('{'));

  await expect(transport.call({ ...get, timeoutMs: 200 })).rejects.toMatchObject({ kind: 'timeout' });
});

test('times of the platform are compared with its own clock', async () => {
  const then = new Date(Date.now() - 3_600_000);
  const { settings, transport } = await setup(
    says(200, aStatus({ status: 'active', seenAt: then }), { date: then.toUTCString() }),
  );
  const jobs = createJobsClient(settings, transport);

  await expect(jobs.status('j')).resolves.toMatchObject({ lost: false });
});

const longAgo = () => new Date(Date.now() - 700_000);
const aLog = (...times: Date[]) =>
  says(200, { data: times.map((time) => ({ timestamp: withoutZone(time), message: 'x' })), next_page: null });
test.each([
  ['active', true],
  ['pending', true],
  ['completed', false],
])('a job %s without a sign of life for long is lost: %s', async (status, lost) => {
  const { settings, transport } = await setup(
    says(200, aStatus({ status, seenAt: longAgo() })),
    aLog(longAgo()),
  );

  await expect(createJobsClient(settings, transport).status('j')).resolves.toMatchObject({ lost });
});

test('a job whose process still writes is not lost, however long nothing was told of it', async () => {
  const { settings, transport } = await setup(
    says(200, aStatus({ status: 'active', seenAt: longAgo() })),
    says(200, { data: [{ timestamp: withoutZone(longAgo()), message: 'x' }], next_page: 'more' }),
    aLog(new Date()),
  );

  await expect(createJobsClient(settings, transport).status('j')).resolves.toMatchObject({ lost: false });
});

test('a job in a container is never lost: the platform asks the cluster for it', async () => {
  const status = aStatus({ status: 'active', seenAt: longAgo() });
  const inCluster = {
    ...status,
    steps: status.steps.map((step) => ({ ...step, tasks: [{ ...step.tasks[0], status_details: {} }] })),
  };
  const { settings, transport, asked } = await setup(says(200, inCluster));

  await expect(createJobsClient(settings, transport).status('j')).resolves.toMatchObject({ lost: false });

  expect(asked).toHaveLength(1);
});

const isA = (status: string) => says(200, aStatus({ status, seenAt: new Date() }));
const tooEarly = says(409, {
  detail: "Cannot cancel job 'j' from its current state. Refresh the job status.",
});
test.each([
  ['was between two steps', [isA('active'), fine, isA('active'), fine, isA('cancelling')], 2],
  ['was just ending a step', [isA('active'), tooEarly, isA('active'), fine, isA('cancelled')], 2],
  ['has ended meanwhile', [isA('active'), tooEarly, isA('completed')], 1],
  ['is being cancelled', [isA('cancelling'), tooEarly, isA('cancelling')], 1],
  ['has ended', [isA('error')], 0],
])('a job that %s is cancelled', async (_, answers, times) => {
  const { settings, transport, asked } = await setup(...answers);

  await createJobsClient(settings, transport).cancel('j');

  expect(asked.filter((line) => line.endsWith('/cancel'))).toHaveLength(times);
});

test('a job that goes on whatever it is told is not called cancelled', async () => {
  const { settings, transport } = await setup(isA('active'), fine, isA('active'), fine, isA('active'));

  await expect(createJobsClient(settings, transport).cancel('j')).rejects.toThrow('which is still active');
});

test('lines that break off are an outage, and come whole before it', async () => {
  const { transport } = await setup((_, response) => {
    response.writeHead(200).write('{"n":1}\n{"n":2', () => response.destroy());
  });
  const lines: string[] = [];
  const reading = async () => {
    for await (const line of transport.lines({ ...get, doing: 'read' })) lines.push(line);
  };

  await expect(reading()).rejects.toMatchObject({ name: 'UnavailableError' });
  expect(lines).toEqual(['{"n":1}']);
});

test('the last lines of a log are its last, of however many pages', async () => {
  const page = (message: string, next_page: string | null) =>
    says(200, { data: [{ timestamp: withoutZone(new Date()), message }], next_page });
  const { settings, transport, asked } = await setup(
    page('first', 'p2'),
    page('second', 'p3'),
    page('last', null),
  );

  await expect(createJobsClient(settings, transport).log('j', 2)).resolves.toEqual(['second', 'last']);

  expect(
    asked.map((line) => new URL(line.split(' ')[1] ?? '', 'http://x').searchParams.get('page_cursor')),
  ).toEqual([null, 'p2', 'p3']);
});

test('a job that nothing will ever start is told by the names of what is missing', async () => {
  const created = aStatus({ status: 'created', seenAt: new Date(Date.now() - 150_000) });
  const { settings, transport } = await setup(
    says(200, { ...created, steps: created.steps.map((step) => ({ ...step, tasks: [] })) }),
    says(200, { status: 'healthy', controllers: { healthy: true, status: { workspace_cleanup: true } } }),
  );

  await expect(createJobsClient(settings, transport).status('j')).rejects.toThrow(
    'runs no job_scheduler and no job_reconciler',
  );
});

function aStatus({ status, seenAt }: { status: string; seenAt: Date }) {
  const updated_at = withoutZone(seenAt);
  const task = { updated_at, status_details: { subprocess_work_dir: '/work' }, error_details: {} };
  const step = { name: 'training', updated_at, error_details: null, tasks: [task] };
  return { name: 'j', status, error_details: null, steps: [step] };
}

/** As the platform writes times. */
function withoutZone(time: Date): string {
  return time.toISOString().replace('Z', '');
}
