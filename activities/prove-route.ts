import { cancellationSignal } from '@temporalio/activity';
import { FlywheelError } from '../domain/errors.ts';
import type { Route } from '../domain/routes/route.ts';
import { keepAlive } from './keep-alive.ts';
import { pause } from './pause.ts';
import type { GatewayProbe } from './ports/gateway-probe.ts';

const everyMs = 500;

export interface RouteProof {
  readonly proved: boolean;
  /** What the gateway showed, in words. */
  readonly detail: string;
}

/** Asks the live gateway until it serves the workload by this route, or the time is over. */
export function createProveRoute({ probe }: { readonly probe: GatewayProbe }) {
  async function proveRoute({ route, timeoutMs }: { route: Route; timeoutMs: number }): Promise<RouteProof> {
    const deadline = Date.now() + timeoutMs;
    const signal = cancellationSignal();
    let last = { proved: false, detail: 'The gateway was not asked.' };
    await keepAlive(
      () => last.detail,
      async () => {
        do {
          last = await askOnce(probe, route);
          if (!last.proved) await pause(everyMs, signal);
        } while (!last.proved && Date.now() < deadline);
      },
    );
    return last.proved ? last : { proved: false, detail: `${last.detail} (after ${timeoutMs / 1000} s)` };
  }
  return { proveRoute };
}

async function askOnce(probe: GatewayProbe, route: Route): Promise<RouteProof> {
  try {
    const { routeVersion, model, latencyMs } = await probe.ask(route.workloadId);
    const answered = `The gateway answered by route ${routeVersion} with ${model ?? 'the original'} in ${Math.round(latencyMs)} ms.`;
    const served = routeVersion >= route.version && (route.serving === null || model === route.serving.model);
    return { proved: served, detail: served ? answered : `${answered} Wanted: ${wanted(route)}.` };
  } catch (error) {
    if (error instanceof FlywheelError) return { proved: false, detail: error.message };
    throw error;
  }
}

function wanted(route: Route): string {
  return `route ${route.version} with ${route.serving?.model ?? 'the original'}`;
}
