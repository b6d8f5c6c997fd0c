import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { newToken } from '../../domain/access/token.ts';
import { tokensFileText } from '../../domain/access/tokens-file.schema.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { setup, storedIds } from './support/gateway.ts';
import { spawnGateway } from './support/spawn-gateway.ts';

/** A logged call as an application sends it. */
function aCall(fields: Record<string, unknown> = {}) {
  return {
    timestamp: '2026-01-02T03:04:05.678Z',
    workload_id: 'hr',
    client_id: 'c1',
    request: { model: 'big', messages: [{ role: 'user', content: 'hi' }] },
    response: { model: 'big-1', choices: [{ message: { role: 'assistant', content: 'ho' } }] },
    ...fields,
  };
}

interface Answer {
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: number;
  readonly results: readonly { status: string; id?: string; reason?: string; detail?: string }[];
  readonly error?: { code: string; message: string };
}

async function send(url: string, body: unknown, headers: Record<string, string> = {}) {
  const reply = await fetch(`${url}/v1/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: (await reply.json()) as Answer };
}

test('each record of a batch is accepted, a duplicate, or rejected with its reason', async () => {
  const bundle = await setup();
  const { url } = await bundle.start();

  const first = await send(url, { records: [aCall({ id: 'a' }), aCall({ id: 'a' }), aCall({ id: 'b' })] });
  const second = await send(url, {
    records: [
      aCall({ id: 'b' }),
      aCall({ request: { messages: [] } }),
      'no record',
      aCall({ timestamp: null }),
      aCall({ id: 'c' }),
    ],
  });

  expect(first).toMatchObject({ status: 200, body: { accepted: 2, duplicate: 1, rejected: 0 } });
  expect(first.body.results).toEqual([
    { status: 'accepted', id: 'a' },
    { status: 'duplicate', id: 'a' },
    { status: 'accepted', id: 'b' },
  ]);
  expect(second.status).toBe(200);
  expect(second.body.results).toEqual([
    { status: 'duplicate', id: 'b' },
    { status: 'rejected', reason: 'invalid_request', detail: expect.stringContaining('messages') },
    { status: 'rejected', reason: 'not_an_object', detail: expect.any(String) },
    { status: 'rejected', reason: 'missing_timestamp', detail: 'timestamp is missing.' },
    { status: 'accepted', id: 'c' },
  ]);
  await eventually(async () => expect((await storedIds(bundle)).sort()).toEqual(['a', 'b', 'c']));
  const ready = (await (await fetch(`${url}/ready`)).json()) as { records: unknown };
  expect(ready.records).toEqual({ accepted: 3, duplicate: 2, rejected: 3 });
});

test('a record stored before a restart is still called a duplicate', async () => {
  const bundle = await setup();
  const before = await bundle.start();
  await send(before.url, { records: [aCall({ id: 'a' })] });
  await eventually(async () => expect(await storedIds(bundle)).toEqual(['a']));
  await before.stop();

  const after = await bundle.start();
  const again = await send(after.url, { records: [aCall({ id: 'a' }), aCall({ id: 'b' })] });

  expect(again.body.results).toEqual([
    { status: 'duplicate', id: 'a' },
    { status: 'accepted', id: 'b' },
  ]);
});

test('one record may come alone, its sender in headers; without an id it gets the same one each time', async () => {
  const bundle = await setup();
  const { url } = await bundle.start();
  const { workload_id: _, client_id: __, ...call } = aCall({ latency_ms: 12, conversation_id: 'conv' });
  const headers = { 'x-workload-id': 'hr', 'x-client-id': 'web' };

  const first = await send(url, call, headers);
  const again = await send(url, call, headers);

  const id = first.body.results[0]?.id ?? '';
  expect(id).toMatch(/^rec_[0-9a-f]{32}$/);
  expect(again.body.results).toEqual([{ status: 'duplicate', id }]);
  await eventually(async () =>
    expect(await bundle.logStore.get([id])).toMatchObject([
      { workloadId: 'hr', clientId: 'web', conversationId: 'conv', latencyMs: 12, model: 'big-1' },
    ]),
  );
});

test('a batch of which nothing can be used is an error that says why', async () => {
  const { url } = await (await setup()).start();

  const bad = await send(url, { records: [aCall({ response: { choices: [] } })] });
  const empty = await send(url, { records: [] });
  const many = await send(url, { records: Array.from({ length: 1001 }, () => ({})) });

  expect(bad).toMatchObject({
    status: 400,
    body: { error: { code: 'invalid_response' }, rejected: 1, results: [{ reason: 'invalid_response' }] },
  });
  expect(empty).toMatchObject({ status: 400, body: { error: { code: 'invalid_body' } } });
  expect(many).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining('1000') } } });
});

test('what was accepted while the log store is down survives a kill and arrives once', async () => {
  const bundle = await setup();
  await bundle.postgres.cut();
  const gateway = await spawnGateway(bundle.config, await freePort());
  const ids = Array.from({ length: 50 }, (_, n) => `r${n}`);
  const records = ids.map((id) => aCall({ id }));

  const sent = await send(gateway.url, { records });
  await gateway.kill();
  await bundle.postgres.restore();
  const { url } = await bundle.start();
  const again = await send(url, { records });

  expect(sent).toMatchObject({ status: 200, body: { accepted: 50 } });
  expect(again.body.rejected).toBe(0);
  await eventually(async () => expect((await storedIds(bundle)).sort()).toEqual([...ids].sort()));
}, 180_000);

test('a full journal asks the sender to keep its records and come again', async () => {
  const bundle = await setup({ spoolMaxBytes: 1_500 });
  const { url } = await bundle.start();
  await bundle.postgres.cut();
  const records = Array.from({ length: 20 }, (_, n) => aCall({ id: `r${n}` }));

  const full = await send(url, { records });
  await bundle.postgres.restore();

  expect(full.status).toBe(503);
  expect(full.body.accepted).toBeGreaterThan(0);
  expect(full.body.results.at(-1)).toMatchObject({ status: 'rejected', reason: 'journal_full' });
  await eventually(async () => expect((await send(url, { records })).status).toBe(200));
  await eventually(async () => expect(await storedIds(bundle)).toHaveLength(20));
});

test('a token’s client may not log in another’s name', async () => {
  const bundle = await setup();
  const { text, token } = newToken(
    { id: 't1', secret: 'x'.repeat(64) },
    {
      client: 'web',
      roles: ['ingest'],
      createdAt: '2026-01-01T00:00:00Z',
      expiresAt: null,
      requestsPerMinute: null,
    },
  );
  await writeFile(bundle.config.gateway.tokensFile, tokensFileText([token]));
  const { url } = await bundle.start();
  const { client_id: _, ...unnamed } = aCall({ id: 'mine' });

  const sent = await send(
    url,
    { records: [unnamed, aCall({ id: 'other' })] },
    { authorization: `Bearer ${text}` },
  );

  expect(sent.body.results).toEqual([
    { status: 'accepted', id: 'mine' },
    { status: 'rejected', reason: 'client_mismatch', detail: expect.stringContaining('"web"') },
  ]);
  await eventually(async () =>
    expect(await bundle.logStore.get(['mine'])).toMatchObject([{ clientId: 'web' }]),
  );
});
