import type { CheckSaid } from '../../wiring/open-enforcement.ts';
import type { Caller } from '../auth/access.ts';
import type { RouteTable } from '../routes/route-table.ts';
import type { ExchangeOptions } from './exchange.ts';
import type { TargetOptions } from './target.ts';
import type { UpstreamClient } from './upstream-client.ts';

export interface GatewayOptions extends TargetOptions, ExchangeOptions {
  readonly routes: Pick<RouteTable, 'get' | 'refresh'>;
  /** How a workload's calls are checked, by its policy as it stands; null: they are not. */
  readonly guarded: (workloadId: string) => CheckSaid | null;
  readonly upstreams: UpstreamClient;
  /** Aborted when streams that are still open have to end. */
  readonly stopping: AbortSignal;
  /** Largest request, and how much of a streamed reply is read along for its record. */
  readonly maxBodyBytes: number;
}

export interface IncomingCall {
  readonly request: Request;
  readonly caller: Caller;
  /** Breaks the caller's connection. */
  readonly hangUp: () => void;
}
