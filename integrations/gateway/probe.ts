import type { GatewayAnswer, GatewayProbe } from '../../activities/ports/gateway-probe.ts';
import { UnavailableError } from '../../domain/errors.ts';

/** A model that loads on its first call may take this long on two CPU cores. */
const askTimeoutMs = 45_000;

const request = {
  // The route's model wins; the original's endpoint gets to see a name that nobody has.
  model: 'flywheel-probe',
  messages: [{ role: 'user', content: 'ping' }],
  max_completion_tokens: 1,
  temperature: 0,
};

/** Asks over HTTP. `url` is the gateway's root; `token` is read at each call, since a gateway makes its own. */
export function createGatewayProbe(url: string, token: () => string | null = () => null): GatewayProbe {
  return { ask: (workloadId) => ask(url, token(), workloadId) };
}

async function ask(url: string, token: string | null, workloadId: string): Promise<GatewayAnswer> {
  const startedMs = performance.now();
  const { response, body } = await send(url, token, workloadId);
  const routeVersion = response.headers.get('x-flywheel-route');
  if (routeVersion === null) {
    throw new UnavailableError(
      `What answers at ${url} is no gateway of Flywheel: status ${response.status}, no x-flywheel-route header. ${body.slice(0, 300)}`,
    );
  }
  const model = response.headers.get('x-flywheel-model');
  return {
    routeVersion: Number(routeVersion),
    model: model === null ? null : decodeURI(model),
    status: response.status,
    latencyMs: performance.now() - startedMs,
    complaint: response.ok ? null : body.slice(0, 300),
  };
}

async function send(
  url: string,
  token: string | null,
  workloadId: string,
): Promise<{ response: Response; body: string }> {
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-workload-id': workloadId,
        'x-client-id': 'flywheel-probe',
        ...(token !== null && { 'x-flywheel-token': token }),
        // A proof of the route is no traffic to learn from, and needs the route as it is now.
        'x-flywheel-log': 'off',
        'cache-control': 'no-cache',
      },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(askTimeoutMs),
    });
    return { response, body: await response.text() };
  } catch (cause) {
    throw new UnavailableError(`The gateway at ${url} does not answer.`, { cause });
  }
}
