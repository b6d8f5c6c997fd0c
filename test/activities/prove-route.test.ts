import { describe, expect, it } from 'vitest';
import type { GatewayAnswer } from '../../activities/ports/gateway-probe.ts';
import { createProveRoute } from '../../activities/prove-route.ts';
import { UnavailableError } from '../../domain/errors.ts';
import type { Route } from '../../domain/routes/route.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';

const route: Route = {
  workloadId: 'hr',
  version: 3,
  previous: null,
  digest: null,
  runId: null,
  since: '2026-01-01T00:00:00Z',
  serving: { provider: 'local', model: 'ft:new', fewShotUri: null, maxTokens: 8 },
};

function prove(target: Route, ...answers: (GatewayAnswer | Error)[]) {
  return proveWithin(100, target, ...answers);
}

/** Answers in turn; the last one again and again. */
function proveWithin(timeoutMs: number, target: Route, ...answers: (GatewayAnswer | Error)[]) {
  let asked = 0;
  const ask = async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    if (!answer || answer instanceof Error) throw answer;
    return answer;
  };
  return runIn(anAttempt(), createProveRoute({ probe: { ask } }, 10).proveRoute, {
    route: target,
    timeoutMs,
  });
}

function answered(routeVersion: number, model: string | null, status = 200): GatewayAnswer {
  const complaint = status === 200 ? null : '{"error":{"message":"not you"}}';
  return { routeVersion, model, status, latencyMs: 12, complaint };
}

describe('the proof of a route', () => {
  it('holds once the gateway answers by the new route with the new model', async () => {
    const proof = await proveWithin(
      60_000,
      route,
      new UnavailableError('loading'),
      answered(2, 'ft:old'),
      answered(3, 'ft:new'),
    );

    expect(proof).toMatchObject({ proved: true });
  });

  it.each([
    ['an older route', answered(2, 'ft:new')],
    ['another model', answered(3, 'ft:old')],
    ['the right model that fails', answered(3, 'ft:new', 500)],
    ['a refusal', answered(3, null, 502)],
  ])('does not take %s for it', async (_, answer) => {
    expect(await prove(route, answer)).toMatchObject({ proved: false });
  });

  it('says what the gateway showed instead', async () => {
    const silent = await prove(route, new UnavailableError('The gateway does not answer.'));
    const old = await prove(route, answered(2, 'ft:old'));

    expect(silent.detail).toMatch(/does not answer/);
    expect(old.detail).toMatch(/by route 2 with ft:old.* Wanted: route 3 with ft:new/);
  });

  it('tells what the model behind the right route complained of', async () => {
    const proof = await prove(route, answered(3, 'ft:new', 401));

    expect(proof.detail).toMatch(/status 401.*not you.*Wanted/);
  });

  // The original's endpoint may want the application's own key, not know our model name, or be down.
  it.each([200, 401, 404, 502])('of a return to the original holds when that answers %i', async (status) => {
    const proof = await prove({ ...route, serving: null }, answered(3, null, status));

    expect(proof).toMatchObject({ proved: true });
  });

  it('of a return to the original still needs the new route', async () => {
    const proof = await prove({ ...route, serving: null }, answered(2, null, 404));

    expect(proof.proved).toBe(false);
  });
});
