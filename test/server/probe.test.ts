import { describe, expect, test } from 'vitest';
import { createProveRoute } from '../../activities/prove-route.ts';
import { createGatewayProbe } from '../../integrations/gateway/probe.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { moveRoute, serving, setup, startModel } from './support/gateway.ts';

/** The real gateway before upstreams that answer as real ones do. */
function prove(url: string, route: Awaited<ReturnType<typeof moveRoute>>) {
  const { proveRoute } = createProveRoute({ probe: createGatewayProbe(url) }, 10);
  return runIn(anAttempt(), proveRoute, { route, timeoutMs: 300 });
}

async function rolledBack(upstream: Parameters<typeof setup>[0]) {
  const bundle = await setup({ ...upstream, provider: await startModel() });
  await moveRoute(bundle, { moveId: 'm1', serving });
  const route = await moveRoute(bundle, { moveId: 'm2', serving: null });
  const { url } = await bundle.start();
  return prove(url, route);
}

describe('a rollback to the original is proven', () => {
  test.each([401, 404, 429, 500])('when the upstream answers our probe with %i', async (status) => {
    const upstream = await startModel();
    upstream.reply = { status, text: '{"error":{"message":"not you"}}', headers: {} };

    expect(await rolledBack({ upstream })).toMatchObject({ proved: true });
  });

  test('when the upstream is down', async () => {
    const upstream = { ...(await startModel()), baseUrl: 'http://127.0.0.1:9/v1' };

    expect(await rolledBack({ upstream })).toMatchObject({ proved: true });
  });

  test('when none is configured', async () => {
    expect(await rolledBack({ upstream: null })).toMatchObject({ proved: true });
  });
});

describe('a promotion is not proven', () => {
  test('by a promoted model that fails', async () => {
    const provider = await startModel();
    provider.reply = { status: 500, text: '{"error":{"message":"out of memory"}}', headers: {} };
    const bundle = await setup({ provider });
    const route = await moveRoute(bundle, { moveId: 'm1', serving });
    const { url } = await bundle.start();

    const proof = await prove(url, route);

    expect(proof.proved).toBe(false);
    expect(proof.detail).toMatch(/ft:nano:1, status 500.*out of memory/);
  });

  test('by something else that listens where the gateway should', async () => {
    const { baseUrl } = await startModel();
    const bundle = await setup();
    const route = await moveRoute(bundle, { moveId: 'm1', serving });

    const proof = await prove(baseUrl.replace('/v1', ''), route);

    expect(proof).toMatchObject({
      proved: false,
      detail: expect.stringMatching(/is no gateway of Flywheel/),
    });
  });
});
