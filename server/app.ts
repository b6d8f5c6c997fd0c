import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { chatCompletions, type GatewayOptions } from './gateway/chat-completions.ts';
import { type ReadinessOptions, readiness } from './health.ts';
import { reasonOf } from './log.ts';
import { openAiError } from './openai-error.ts';

/** Images travel inside requests as base64; beyond this a request is a mistake. */
const maxBodyBytes = 32 * 1024 * 1024;

/** The HTTP surface: health and readiness, and the gateway. */
export function createApp(options: GatewayOptions & ReadinessOptions): Hono {
  const app = new Hono();
  app.get('/health', (c) => c.json({ status: 'ok' }));
  app.get('/ready', async (c) => {
    const report = await readiness(options);
    return c.json(report, report.status === 'unavailable' ? 503 : 200);
  });
  app.post(
    '/v1/chat/completions',
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () =>
        openAiError({
          status: 413,
          code: 'request_too_large',
          message: `The body has more than ${maxBodyBytes} bytes.`,
        }),
    }),
    (c) => chatCompletions(c.req.raw, options),
  );
  app.notFound((c) =>
    openAiError({
      status: 404,
      code: 'unknown_url',
      message: `There is no ${c.req.method} ${c.req.path} here; the gateway answers POST /v1/chat/completions.`,
    }),
  );
  app.onError((error) => {
    options.log.warn('request_failed', { reason: reasonOf(error) });
    return openAiError({ status: 500, code: 'internal_error', message: 'The gateway failed; see its log.' });
  });
  return app;
}
