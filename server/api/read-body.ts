import type { z } from 'zod';
import { RequestError } from '../openai-error.ts';

/** A request's JSON body, as the schema reads it. Throws `RequestError` with every problem found. */
export async function readBody<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  // Browsers send this type across origins only after asking, so no web page can talk to a local gateway.
  if (!/^application\/json\b/i.test(request.headers.get('content-type') ?? ''))
    throw new RequestError({
      status: 415,
      code: 'unsupported_media_type',
      message: 'Send content-type: application/json.',
    });
  const parsed = schema.safeParse(await request.json().catch(() => undefined));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new RequestError({
    status: 400,
    code: 'invalid_body',
    message: `The body cannot be used: ${problems.join('; ')}.`,
  });
}
