import { Hono } from 'hono';
import { addDecide, type DecideOptions } from './api/decide.ts';
import { addFeedback, type FeedbackOptions } from './api/feedback.ts';
import { addIngestRecords, type IngestOptions } from './api/ingest-records.ts';
import { addPolicy, type PolicyOptions } from './api/policy.ts';
import { addReadEndpoints, type ReadOptions } from './api/read-endpoints.ts';
import { toGatewayError } from './api/to-error.ts';
import { addTriggerRun, type TriggerRunOptions } from './api/trigger-run.ts';
import { type App, endpoints, type GuardOptions } from './auth/guard.ts';
import { chatCompletions } from './gateway/chat-completions.ts';
import type { GatewayOptions } from './gateway/gateway-options.ts';
import { addHealth, type HealthOptions } from './health.ts';
import { reasonOf } from './log.ts';
import { openAiError } from './openai-error.ts';

export type AppOptions = GatewayOptions &
  HealthOptions &
  GuardOptions &
  ReadOptions &
  IngestOptions &
  FeedbackOptions &
  DecideOptions &
  PolicyOptions &
  TriggerRunOptions;

const chatPath = '/v1/chat/completions';

/** The HTTP surface: health, the gateway, and the API. All but health asks for a role. */
export function createApp(options: AppOptions): App {
  const app: App = new Hono();
  addHealth(app, options);
  // No middleware limits bodies: whoever reads one checks its size, once the caller is let in (read-bytes.ts).
  const on = endpoints(app, options);
  on('POST', chatPath, 'ingest', (c, caller) =>
    chatCompletions({ request: c.req.raw, caller, hangUp: () => c.env.outgoing.destroy() }, options),
  );
  addIngestRecords(on, options);
  addFeedback(on, options);
  addDecide(on, options);
  addTriggerRun(on, options);
  addPolicy(on, options);
  addReadEndpoints(on, options);
  app.notFound((c) =>
    openAiError({
      status: 404,
      code: 'unknown_url',
      message: `There is no ${c.req.method} ${c.req.path} here; docs/gateway.md lists what there is.`,
    }),
  );
  app.onError((error, c) => {
    // The caller hung up while sending: nobody reads the answer, and nothing failed.
    if (c.req.raw.signal.aborted) return new Response(null, { status: 499 });
    const told = toGatewayError(error);
    if (told === null || told.status >= 500) options.log.warn('request_failed', { reason: reasonOf(error) });
    return openAiError(
      told ?? { status: 500, code: 'internal_error', message: 'The gateway failed; see its log.' },
    );
  });
  return app;
}
