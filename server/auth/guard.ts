import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { Role } from '../../domain/access/role.ts';
import { isError, openAiError } from '../openai-error.ts';
import type { Access, Caller } from './access.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** Runs on Node only: a broken stream has to end its caller's connection. */
export type App = Hono<{ Bindings: HttpBindings }>;
export type Handler = (
  context: Context<{ Bindings: HttpBindings }>,
  caller: Caller,
) => Response | Promise<Response>;

/** Adds an endpoint that only holders of `role` reach. */
export type AddEndpoint = (
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  role: Role,
  handler: Handler,
) => void;

export interface GuardOptions {
  readonly access: Access;
  readonly limiter: RateLimiter;
}

/** The one way to add an endpoint, so that none can be without a role. */
export function endpoints(app: App, { access, limiter }: GuardOptions): AddEndpoint {
  return (method, path, role, handler) => {
    app.on(method, path, (context) => {
      const { headers } = context.req.raw;
      const caller = access.authorize(headers, role);
      if (isError(caller)) return openAiError(caller);
      if (role === 'ingest') {
        const client = caller.client ?? headers.get('x-client-id') ?? '';
        const refusal = limiter.take(client, caller.requestsPerMinute);
        if (refusal !== null) return openAiError(refusal);
      }
      return handler(context, caller);
    });
  };
}
