import { z } from 'zod';

/** What a refusal says, and its code where it has one. */
export interface Complaint {
  readonly text: string;
  readonly code: string | null;
}

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'not JSON' });
    return z.NEVER;
  }
});

/** A model server's own refusal, in OpenAI's form. */
const OpenAiError = z
  .object({ error: z.object({ message: z.string(), code: z.union([z.string(), z.number()]).nullish() }) })
  .transform(
    ({ error }): Complaint => ({
      text: error.message,
      code: error.code == null ? null : String(error.code),
    }),
  );

/** FastAPI's list of what is wrong with a body, each with its place. */
const Invalid = z
  .object({ detail: z.array(z.object({ loc: z.array(z.union([z.string(), z.number()])), msg: z.string() })) })
  .transform(
    ({ detail }): Complaint => ({
      text: detail.map(({ loc, msg }) => `${loc.slice(1).join('.')}: ${msg}`).join('; '),
      code: null,
    }),
  );

/** A sentence, which at the gateway may be a model server's refusal as text. */
const Detail = z.object({ detail: z.string() }).transform(({ detail }): Complaint => {
  const inner = json.pipe(OpenAiError).safeParse(detail);
  return inner.success ? inner.data : { text: detail, code: null };
});

/** The body of any answer that is not what was asked for. */
export const Complaint = json.pipe(z.union([OpenAiError, Invalid, Detail]));
