import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { newToken, type Token } from '../../domain/access/token.ts';
import { tokensFileText } from '../../domain/access/tokens-file.schema.ts';
import { createGatewayProbe } from '../../integrations/gateway/probe.ts';
import { type AppOptions, createApp } from '../../server/app.ts';
import type { Access } from '../../server/auth/access.ts';
import { startServer } from '../../server/start-server.ts';
import { eventually } from '../support/eventually.ts';
import { ask, type GatewayBundle, setup, startModel } from './support/gateway.ts';

let made = 0;

function aToken(fields: Partial<Token>): { text: string; token: Token } {
  made += 1;
  return newToken(
    { id: `t${made}`, secret: 'x'.repeat(64) },
    {
      client: 'web',
      roles: ['ingest'],
      createdAt: '2026-01-31T09:00:00.000Z',
      expiresAt: null,
      requestsPerMinute: null,
      ...fields,
    },
  );
}

async function giveTokens(bundle: GatewayBundle, ...tokens: { token: Token }[]): Promise<void> {
  await writeFile(bundle.config.gateway.tokensFile, tokensFileText(tokens.map(({ token }) => token)));
}

/** Asked by whoever starts or balances gateways; `/ready` tells strangers one word. */
const openToAll = ['/health', '/ready'];

const everyEndpoint = [
  ['POST', '/v1/chat/completions', 'ingest'],
  ['POST', '/v1/records', 'ingest'],
  ['POST', '/v1/feedback', 'ingest'],
  ['GET', '/v1/feedback', 'read'],
  ['POST', '/v1/runs/run-1/decision', 'approve'],
  ['GET', '/v1/runs', 'read'],
  ['GET', '/v1/runs/run-1', 'read'],
  ['GET', '/v1/workloads', 'read'],
  ['GET', '/v1/workloads/hr/route', 'read'],
  ['GET', '/v1/workloads/hr/lineage', 'read'],
  ['GET', '/v1/workloads/hr/audit', 'read'],
] as const;

test('no endpoint that anybody ever adds is reached without a token', async () => {
  const refusing: Access = {
    isOpen: () => false,
    authorize: () => ({ status: 401, code: 'missing_token', message: 'no' }),
  };
  // Nothing else is looked at before the token is.
  const app = createApp({ access: refusing, maxBodyBytes: 1_000 } as AppOptions);
  const paths = app.routes.filter(({ method, path }) => method !== 'ALL' && !openToAll.includes(path));

  for (const { method, path } of paths)
    expect([path, (await app.request(path, { method })).status]).toEqual([path, 401]);
  expect(paths.length).toBeGreaterThanOrEqual(everyEndpoint.length);
});

describe('with tokens', () => {
  test('every endpoint but health refuses who has none, a wrong one, or one without the role', async () => {
    const bundle = await setup({ upstream: await startModel() });
    const wrong = { ingest: 'read', approve: 'ingest', read: 'ingest', operate: 'read' } as const;
    const tokens = { read: aToken({ roles: ['read'] }), ingest: aToken({ roles: ['ingest'] }) };
    await giveTokens(bundle, tokens.read, tokens.ingest);
    const { url } = await bundle.start();

    for (const [method, path, role] of everyEndpoint) {
      const headers = { 'content-type': 'application/json' };
      const body = method === 'POST' ? '{}' : null;
      const status = async (authorization?: string) =>
        (
          await fetch(`${url}${path}`, {
            ...{ method, body },
            headers: { ...headers, ...(authorization && { authorization }) },
          })
        ).status;

      expect([path, await status()]).toEqual([path, 401]);
      expect([path, await status('Bearer fw_t1_guess')]).toEqual([path, 401]);
      expect([path, await status(`Bearer ${tokens[wrong[role]].text}`)]).toEqual([path, 403]);
    }
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  test('readiness tells strangers only whether traffic flows', async () => {
    const bundle = await setup();
    const reader = aToken({ roles: ['read'] });
    await giveTokens(bundle, reader);
    const { url } = await bundle.start();

    const ready = async (headers = {}) => (await fetch(`${url}/ready`, { headers })).json();

    // Degraded while PostgreSQL is slow to answer.
    await eventually(async () => expect(await ready()).toEqual({ status: 'ready' }));
    const authorization = `Bearer ${reader.text}`;
    await eventually(async () =>
      expect(await ready({ authorization })).toMatchObject({ status: 'ready', calls: { calls: 0 } }),
    );
  });

  test('the client of a record is the token’s, and naming another is refused', async () => {
    const upstream = await startModel();
    const bundle = await setup({ upstream, apiKey: 'configured' });
    const web = aToken({ client: 'web' });
    await giveTokens(bundle, web);
    const { url } = await bundle.start();
    const authorization = `Bearer ${web.text}`;

    const own = await ask(url, { headers: { authorization, 'x-client-id': '' } });
    const other = await ask(url, { headers: { authorization, 'x-client-id': 'billing' } });

    expect(other.status).toBe(403);
    expect(await other.json()).toMatchObject({
      error: { code: 'client_mismatch', type: 'permission_error' },
    });
    const id = own.headers.get('x-flywheel-record-id') ?? '';
    await eventually(async () =>
      expect(await bundle.logStore.get([id])).toMatchObject([{ clientId: 'web' }]),
    );
    expect(upstream.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer configured']);
  });

  test('a token in its own header leaves the model’s key alone, and neither reaches the wrong side', async () => {
    const upstream = await startModel();
    const bundle = await setup({ upstream, apiKey: 'configured' });
    const proxy = aToken({ client: '*' });
    await giveTokens(bundle, proxy);
    const { url } = await bundle.start();

    await ask(url, {
      headers: { authorization: 'Bearer sk-the-callers', 'x-flywheel-token': proxy.text },
    });

    expect(upstream.asked[0]?.headers.authorization).toBe('Bearer sk-the-callers');
    expect(JSON.stringify(upstream.asked)).not.toContain(proxy.text);
    expect(bundle.logged.join('')).not.toContain(proxy.text);
  });

  test('a token that has expired is refused, and one that is revoked soon is', async () => {
    const bundle = await setup({ upstream: await startModel() });
    const good = aToken({ client: 'c1' });
    const old = aToken({ client: 'c1', expiresAt: '2026-02-01T00:00:00.000Z' });
    await giveTokens(bundle, good, old);
    const { url } = await bundle.start();
    const statusWith = async ({ text }: { text: string }) =>
      (await ask(url, { headers: { authorization: `Bearer ${text}` } })).status;
    expect(await statusWith(good)).toBe(200);
    expect(await statusWith(old)).toBe(401);

    await giveTokens(bundle);

    // Losing every token closes the door; it does not open it.
    await eventually(async () => expect(await statusWith(good)).toBe(401));
    expect((await ask(url)).status).toBe(401);
  });

  test('Flywheel’s own processes get in by the token that the gateway made on its first start', async () => {
    const bundle = await setup({ upstream: await startModel() });
    await giveTokens(bundle, aToken({}));
    const { url } = await bundle.start();
    const own = (await readFile(bundle.config.gateway.ownTokenFile, 'utf8')).trim();

    const probe = createGatewayProbe(url, () => own);
    const read = await fetch(`${url}/v1/runs`, { headers: { 'x-flywheel-token': own } });

    expect(await probe.ask('hr')).toMatchObject({ status: 200, routeVersion: 0 });
    expect(read.status).toBe(403);
  });
});

describe('without tokens', () => {
  test('the gateway is open to this machine and says so; its first token closes it', async () => {
    const bundle = await setup({ upstream: await startModel() });
    const { url } = await bundle.start();

    expect((await ask(url)).status).toBe(200);
    expect((await fetch(`${url}/v1/runs`)).status).toBe(200);
    expect(bundle.logged.join('')).toContain('open_local_mode');
    await giveTokens(bundle, aToken({}));

    await eventually(async () => expect((await ask(url)).status).toBe(401));
  });

  test('a web page that gives this machine a name of its own is refused', async () => {
    const { url } = await (await setup({ upstream: await startModel() })).start();

    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${url}/v1/runs`, { headers: { host: 'evil.example:8080' } }, (reply) => {
        reply.resume();
        resolve(reply.statusCode);
      })
        .on('error', reject)
        .end();
    });

    expect(status).toBe(403);
  });

  test('an address that others can reach is refused before anything is opened', async () => {
    const { config } = await setup();
    const open = { ...config, gateway: { ...config.gateway, host: '0.0.0.0' } };

    await expect(startServer(open, { info: () => undefined, warn: () => undefined })).rejects.toThrow(
      /FLYWHEEL_GATEWAY_HOST is 0\.0\.0\.0.*token create/s,
    );
  });

  test('so is a tokens file that cannot be used', async () => {
    const { config } = await setup();
    await writeFile(config.gateway.tokensFile, '{"tokens": [{"client": "web"}]}');

    await expect(startServer(config, { info: () => undefined, warn: () => undefined })).rejects.toThrow(
      /tokens\.0\.roles/,
    );
  });
});

describe('rate limits', () => {
  test('a client that sends too much is told how long to wait; others go on', async () => {
    const upstream = await startModel();
    const { url } = await (await setup({ upstream, rateLimit: 2 })).start();

    const replies = [await ask(url), await ask(url), await ask(url)];
    const other = await ask(url, { headers: { 'x-client-id': 'c2' } });

    expect(replies.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(other.status).toBe(200);
    const refused = replies[2];
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused?.headers.get('retry-after'))).toBeLessThanOrEqual(30);
    expect(await refused?.json()).toMatchObject({
      error: { code: 'rate_limit_exceeded', type: 'rate_limit_error' },
    });
    expect(upstream.asked).toHaveLength(3);
  });

  test('a token’s own limit wins over the gateway’s', async () => {
    const bundle = await setup({ upstream: await startModel(), rateLimit: 1 });
    const [slow, fast] = [aToken({ client: 'slow' }), aToken({ client: 'fast', requestsPerMinute: 3 })];
    await giveTokens(bundle, slow, fast);
    const { url } = await bundle.start();
    const statuses = async ({ text }: { text: string }) => {
      const headers = { authorization: `Bearer ${text}`, 'x-client-id': '' };
      return [await ask(url, { headers }), await ask(url, { headers })].map(({ status }) => status);
    };

    expect(await statuses(slow)).toEqual([200, 429]);
    expect(await statuses(fast)).toEqual([200, 200]);
  });
});
