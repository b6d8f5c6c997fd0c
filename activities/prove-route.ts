import { cancellationSignal } from '@temporalio/activity';
import { FlywheelError } from '../domain/errors.ts';
import type { Route } from '../domain/routes/route.ts';
import { keepAlive } from './keep-alive.ts';
import { pause } from './pause.ts';
import type { GatewayAnswer, GatewayProbe } from './ports/gateway-probe.ts';

/** The gateway re-reads its routes about every second, and at once when the probe asks it to. */
const defaultEveryMs = 500;

export interface RouteProof {
  readonly proved: boolean;
  /** What the gateway showed, in words. */
  readonly detail: string;
}

/** Asks the live gateway until it serves the workload by this route, or the time is over. */
export function createProveRoute({ probe }: { readonly probe: GatewayProbe }, everyMs = defaultEveryMs) {
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
    return judge(await probe.ask(route.workloadId), route);
  } catch (error) {
    if (error instanceof FlywheelError) return { proved: false, detail: error.message };
    throw error;
  }
}

/**
 * By the wished route, the promoted model has to answer well. Of the original the route alone is asked: its
 * endpoint may want the application's own credentials or be down, and neither is a reason to take it back.
 */
function judge(answer: GatewayAnswer, { version, serving }: Route): RouteProof {
  const { routeVersion, model, status, latencyMs, complaint } = answer;
  const answers = status >= 200 && status < 300;
  const proved = routeVersion >= version && (serving === null || (answers && model === serving.model));
  const who = serving === null && proved ? 'the original' : (model ?? 'no promoted model');
  const seen = `The gateway answered by route ${routeVersion} with ${who}, status ${status}, in ${Math.round(latencyMs)} ms.`;
  if (proved) return { proved, detail: seen };
  const wanted = `Wanted: route ${version} with ${serving?.model ?? 'the original'}.`;
  return { proved, detail: [seen, complaint, wanted].filter(Boolean).join(' ') };
}
