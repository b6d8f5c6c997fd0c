import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { addDecide, type DecideOptions } from './api/decide.ts';
import { addFeedback, type FeedbackOptions } from './api/feedback.ts';
import { addIngestRecords, type IngestOptions } from './api/ingest-records.ts';
import { addReadEndpoints, type ReadOptions } from './api/read-endpoints.ts';
import { toGatewayError } from './api/to-error.ts';
import { endpoints, type GuardOptions } from './auth/guard.ts';
import { chatCompletions, type GatewayOptions } from './gateway/chat-completions.ts';
import { addHealth, type HealthOptions } from './health.ts';
import { reasonOf } from './log.ts';
import { openAiError } from './openai-error.ts';

export type AppOptions = GatewayOptions &
  HealthOptions &
  GuardOptions &
  ReadOptions &
  IngestOptions &
  FeedbackOptions &
  DecideOptions & {
    /** Images travel inside requests as base64; beyond this a request is a mistake. */
    readonly maxBodyBytes: number;
  };

/** The HTTP surface: health, the gateway, and the API. All but health asks for a role. */
export function createApp(options: AppOptions): Hono {
  const app = new Hono();
  addHealth(app, options);
  app.use('/v1/*', limitBody(options.maxBodyBytes));
  const on = endpoints(app, options);
  on('POST', '/v1/chat/completions', 'ingest', (c, caller) => chatCompletions(c.req.raw, caller, options));
  addIngestRecords(on, options);
  addFeedback(on, options);
  addDecide(on, options);
  addReadEndpoints(on, options);
  app.notFound((c) =>
    openAiError({
      status: 404,
      code: 'unknown_url',
      message: `There is no ${c.req.method} ${c.req.path} here; docs/gateway.md lists what there is.`,
    }),
  );
  app.onError((error) => {
    const told = toGatewayError(error);
    if (told === null || told.status >= 500) options.log.warn('request_failed', { reason: reasonOf(error) });
    return openAiError(
      told ?? { status: 500, code: 'internal_error', message: 'The gateway failed; see its log.' },
    );
  });
  return app;
}

function limitBody(maxSize: number) {
  return bodyLimit({
    maxSize,
    onError: () =>
      openAiError({
        status: 413,
        code: 'request_too_large',
        message: `The body has more than ${maxSize} bytes (FLYWHEEL_MAX_BODY_BYTES).`,
      }),
  });
}
