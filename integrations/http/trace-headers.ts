import { randomBytes } from 'node:crypto';
import type { TraceIds } from '../../activities/ports/trace.ts';

/** Of whatever is called on behalf of a run. */
export interface Traced {
  /** Absent where calls are nobody's in particular; each is a trace of its own then. */
  readonly traceId?: TraceIds;
}

const traceIdForm = /^(?!0{32})[0-9a-f]{32}$/;

/**
 * What one request, each attempt anew, says of itself: W3C's `traceparent`, for services that trace, and
 * `x-request-id` of the same two numbers, for those that only log. Marked as sampled, or the services would leave
 * most of a run's calls out of their traces.
 */
export function traceHeaders({ traceId }: Traced): { traceparent: string; 'x-request-id': string } {
  const given = traceId?.() ?? '';
  const trace = traceIdForm.test(given) ? given : randomBytes(16).toString('hex');
  const span = randomBytes(8).toString('hex');
  return { traceparent: `00-${trace}-${span}-01`, 'x-request-id': `${trace}-${span}` };
}
