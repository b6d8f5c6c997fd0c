import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { currentTraceId } from '../../../activities/current-trace-id.ts';
import type { TraceIds } from '../../../activities/ports/trace.ts';
import { flywheelDialect } from '../../../config/fine-tuning-dialects.ts';
import type { Provider } from '../../../config/provider.ts';
import { createDataStore } from '../../../integrations/nemo-microservices/data-store.ts';
import { openEvaluators } from '../../../wiring/open-evaluators.ts';
import { openChatModels } from '../../../wiring/open-models.ts';
import { anAttempt, runIn } from '../../support/activity-environment.ts';
import { type Handler, respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

const answer = { choices: [{ index: 0, message: { role: 'assistant', content: 'hi' } }] };
const apiKey = 'nvapi-0123456789abcdef';

type Kind = Provider['kind'];

/** One server that is every kind of provider, and what it was sent. */
async function setup(handler: Handler = (_, response) => respond(response, 200, answer), traceId?: TraceIds) {
  const seen: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
  server = await startHttpServer((request, response) => {
    seen.push({ url: request.url, headers: request.headers });
    return handler(request, response);
  });
  const { url } = server;
  const endpoint = { baseUrl: `${url}/v1`, apiKey };
  const nemo = { ...endpoint, url, evaluator: 'nemo' as const };
  const training = { maxSeqLength: 1, numGpus: 1, microBatchSize: 1, precision: 'fp32' as const };
  const providers: Record<Kind, Provider> = {
    openai: { kind: 'openai', ...endpoint, fineTuning: true, dialect: flywheelDialect },
    vllm: { kind: 'vllm', ...endpoint, adapters: null },
    'nemo-microservices': {
      ...{ kind: 'nemo-microservices', ...nemo, nimUrl: url, dataStoreUrl: url, namespace: 'flywheel' },
      ...{ training, nims: {} },
    },
    'nemo-platform': { kind: 'nemo-platform', ...nemo, workspace: 'flywheel', customizer: 'peft' },
  };
  const config = { providers, ...(traceId && { traceId }) };
  const complete = (kind: Kind) =>
    openChatModels(config)(kind).complete({ model: 'm', body: { messages: [] }, timeoutMs: 30_000 });
  return { seen, config, complete, url };
}

const kinds = ['openai', 'vllm', 'nemo-microservices', 'nemo-platform'] as const;
const parent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/;

test.each(kinds)('a call of an activity to %s is in the trace of its workflow run', async (kind) => {
  const { seen, complete } = await setup(undefined, currentTraceId);
  const environment = anAttempt({ runId: '0198a4f1-7c2e-7aa3-9f00-1234567890ab' });

  await runIn(environment, () => complete(kind));

  const headers = seen[0]?.headers;
  const [, trace, span] = parent.exec(String(headers?.['traceparent'])) ?? [];
  expect(trace).toBe('0198a4f17c2e7aa39f001234567890ab');
  expect(headers?.['x-request-id']).toBe(`${trace}-${span}`);
});

test.each(kinds)('a call to %s that is nobody’s in particular is a trace of its own', async (kind) => {
  const { seen, complete } = await setup();

  await complete(kind);
  await complete(kind);

  const traces = seen.map(({ headers }) => parent.exec(String(headers['traceparent']))?.[1]);
  expect(traces).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), expect.stringMatching(/^[0-9a-f]{32}$/)]);
  expect(traces[0]).not.toBe(traces[1]);
});

test('what is no trace id is not sent as one', async () => {
  const { seen, complete } = await setup(undefined, () => 'run 7\r\nx-evil: 1');

  await complete('openai');

  expect(seen[0]?.headers).toMatchObject({ traceparent: expect.stringMatching(parent) as string });
});

test.each(kinds)('a refusal of %s names the id that the service has for the request', async (kind) => {
  const refuse: Handler = (_, response) =>
    respond(response, 400, { detail: 'too hot' }, { 'x-request-id': 'req-42' });
  const { complete } = await setup(refuse);

  await expect(complete(kind)).rejects.toThrow(/400 .*too hot.* \(request req-42\)/);
});

test.each(['nemo-microservices', 'nemo-platform'] as const)(
  'each attempt of %s at one call is a span of its own in one trace',
  async (kind) => {
    const { seen, config } = await setup(
      (_, response) => respond(response, 503, { detail: 'starting' }),
      () => 'a'.repeat(32),
    );

    await expect(openEvaluators(config)(kind)?.get('job-1')).rejects.toThrow('starting');

    const spans = seen.map(({ headers }) => parent.exec(String(headers['traceparent'])));
    expect(spans).toHaveLength(3);
    expect(new Set(spans.map((span) => span?.[1]))).toEqual(new Set(['a'.repeat(32)]));
    expect(new Set(spans.map((span) => span?.[2])).size).toBe(3);
  },
);

test('the Data Store’s package is traced as well, and what it is refused is named', async () => {
  const { seen, url } = await setup((_, response) =>
    respond(response, 403, { error: 'no' }, { 'x-request-id': 'req-43' }),
  );
  const hosts = { url, nimUrl: url, dataStoreUrl: url };
  const settings = { name: 'nemo', namespace: 'flywheel', apiKey, ...hosts, traceId: () => 'b'.repeat(32) };

  await expect(createDataStore(settings).ensureRepo('flywheel/rows')).rejects.toThrow('(request req-43)');

  expect(seen.map(({ headers }) => headers['traceparent'])).toEqual([
    expect.stringMatching(`^00-${'b'.repeat(32)}-`),
  ]);
});
