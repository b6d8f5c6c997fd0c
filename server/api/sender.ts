import type { Caller } from '../auth/access.ts';
import { errorBody } from '../openai-error.ts';

/** An item that cannot be used, with the reason that counts it. */
export interface RejectedItem {
  readonly status: 'rejected';
  readonly reason: string;
  readonly detail: string;
}

/** What headers and token say of items that do not say it themselves. */
export function senderOf(headers: Headers, caller: Caller): { workloadId?: string; clientId?: string } {
  const workloadId = headers.get('x-workload-id') || null;
  const clientId = caller.client ?? (headers.get('x-client-id') || null);
  return { ...(workloadId !== null && { workloadId }), ...(clientId !== null && { clientId }) };
}

/** Nobody sends in another client's name. */
export function foreignClient(clientId: string | null, caller: Caller): RejectedItem | null {
  if (caller.client === null || clientId === caller.client) return null;
  return {
    status: 'rejected',
    reason: 'client_mismatch',
    detail: `client_id says "${clientId}", but the token is of client "${caller.client}". Leave it out.`,
  };
}

/** The answer for a batch of which nothing can be used: the results as ever, and an error for clients to raise. */
export function allRejected(results: readonly RejectedItem[], counts: object): Response {
  const { reason: code = 'rejected', detail: message = 'Nothing in it can be used.' } = results[0] ?? {};
  return Response.json({ ...errorBody({ status: 400, code, message }), ...counts, results }, { status: 400 });
}

export function isRejected(result: { readonly status: string }): result is RejectedItem {
  return result.status === 'rejected';
}
