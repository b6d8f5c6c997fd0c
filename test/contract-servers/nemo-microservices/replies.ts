import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';

/** FastAPI's form of an error: `{"detail": …}`. */
export function fail(status: 400 | 404 | 409 | 422 | 500, detail: unknown): HTTPException {
  const body = JSON.stringify({ detail });
  return new HTTPException(status, {
    message: body,
    res: new Response(body, { status, headers: { 'content-type': 'application/json' } }),
  });
}

export function missing(what: string, name: string): HTTPException {
  return fail(404, `${what} ${name} not found`);
}

/** The body as the service would accept it, or FastAPI's 422 with one entry per problem. */
export async function readBody<T extends z.ZodType>(context: Context, schema: T): Promise<z.output<T>> {
  let body: unknown;
  try {
    body = await context.req.json();
  } catch {
    throw fail(422, [{ loc: ['body'], msg: 'JSON decode error', type: 'json_invalid' }]);
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw fail(
    422,
    parsed.error.issues.map(({ path, message, code }) => ({
      loc: ['body', ...path],
      msg: message,
      type: code,
    })),
  );
}

export function deleted(id: string) {
  return { message: 'Resource deleted successfully.', id, deleted_at: null };
}
