import type { z } from 'zod';
import { RequestError, tooLarge } from '../openai-error.ts';
import { readBytes, TooLargeError } from '../read-bytes.ts';

/** What an endpoint with a body needs to know. */
export interface BodyOptions {
  readonly maxBodyBytes: number;
}

/**
 * A request's JSON body, as the schema reads it. Throws `RequestError` with every problem found. The bound is
 * kept here, behind the guard: a middleware would hold bodies in memory of those who may not send any.
 */
export async function readBody<T>(
  request: Request,
  schema: z.ZodType<T>,
  { maxBodyBytes }: BodyOptions,
): Promise<T> {
  // Browsers send this type across origins only after asking, so no web page can talk to a local gateway.
  if (!/^application\/json\b/i.test(request.headers.get('content-type') ?? ''))
    throw new RequestError({
      status: 415,
      code: 'unsupported_media_type',
      message: 'Send content-type: application/json.',
    });
  const parsed = schema.safeParse(parseJson(await readBounded(request, maxBodyBytes)));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new RequestError({
    status: 400,
    code: 'invalid_body',
    message: `The body cannot be used: ${problems.join('; ')}.`,
  });
}

async function readBounded(request: Request, maxBytes: number): Promise<Uint8Array> {
  try {
    return await readBytes(request, maxBytes);
  } catch (error) {
    throw error instanceof TooLargeError ? new RequestError(tooLarge(maxBytes)) : error;
  }
}

/** undefined for what is no JSON, which no schema takes. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
