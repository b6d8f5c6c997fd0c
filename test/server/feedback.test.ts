import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { newToken } from '../../domain/access/token.ts';
import { tokensFileText } from '../../domain/access/tokens-file.schema.ts';
import { setup } from './support/gateway.ts';

interface Answer {
  readonly results: readonly { status: string; id?: string; reason?: string }[];
  readonly error?: { code: string };
}

async function send(url: string, body: unknown, headers: Record<string, string> = {}) {
  const reply = await fetch(`${url}/v1/feedback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-client-id': 'web', ...headers },
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: (await reply.json()) as Answer };
}

test('feedback is stored once, and each piece of a batch has its result', async () => {
  const bundle = await setup();
  const { url } = await bundle.start();
  const up = { record_id: 'rec_1', kind: 'thumbs', value: 'up', author: 'anna', key: 'k1' };

  const one = await send(url, up);
  const batch = await send(url, {
    feedback: [
      up,
      { ...up, value: 'down' },
      { conversation_id: 'c1', kind: 'outcome', name: 'resolved', value: true, workload_id: 'hr' },
      { kind: 'thumbs', value: 'up' },
    ],
  });

  expect(one).toMatchObject({ status: 200, body: { stored: 1, results: [{ status: 'stored' }] } });
  expect(batch).toMatchObject({
    status: 200,
    body: {
      ...{ stored: 1, duplicate: 1, conflict: 1, rejected: 1 },
      results: [
        { status: 'duplicate', id: one.body.results[0]?.id },
        { status: 'conflict' },
        { status: 'stored' },
        { status: 'rejected', reason: 'missing_record_id' },
      ],
    },
  });
  expect(await bundle.lineage.feedback.list({ recordIds: ['rec_1'] })).toMatchObject([
    { kind: 'thumbs', value: 'up', author: 'anna', clientId: 'web' },
  ]);
  const read = await fetch(`${url}/v1/feedback?workload=hr&kind=outcome`);
  expect(await read.json()).toMatchObject([{ conversationId: 'c1', name: 'resolved', value: true }]);
});

test('feedback that cannot be used is an error that says why', async () => {
  const { url } = await (await setup()).start();

  const bad = await send(url, { record_id: 'rec_1', kind: 'score', value: 7 });

  expect(bad).toMatchObject({ status: 400, body: { error: { code: 'invalid_value' } } });
  expect((await fetch(`${url}/v1/feedback?kind=stars`)).status).toBe(400);
});

test('while PostgreSQL is down the sender is asked to come again', async () => {
  const bundle = await setup();
  const { url } = await bundle.start();
  const up = { record_id: 'rec_1', kind: 'thumbs', value: 'up' };
  await bundle.postgres.cut();

  const down = await send(url, up);
  await bundle.postgres.restore();
  const after = await send(url, up);

  expect(down).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
  expect(after).toMatchObject({ status: 200, body: { stored: 1 } });
});

test('a token’s client is the one who sent it', async () => {
  const bundle = await setup();
  const { text, token } = newToken(
    { id: 't1', secret: 'x'.repeat(64) },
    {
      client: 'app',
      roles: ['ingest'],
      createdAt: '2026-01-01T00:00:00Z',
      expiresAt: null,
      requestsPerMinute: null,
    },
  );
  await writeFile(bundle.config.gateway.tokensFile, tokensFileText([token]));
  const { url } = await bundle.start();
  const authorized = { authorization: `Bearer ${text}`, 'x-client-id': 'app' };

  await send(url, { record_id: 'r', kind: 'comment', comment: 'fine' }, authorized);
  const forged = await send(
    url,
    { record_id: 'r', kind: 'comment', comment: 'bad', client_id: 'other' },
    authorized,
  );

  expect(await bundle.lineage.feedback.list({})).toMatchObject([{ clientId: 'app', comment: 'fine' }]);
  expect(forged).toMatchObject({ status: 400, body: { error: { code: 'client_mismatch' } } });
});
