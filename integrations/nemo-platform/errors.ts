import { type FlywheelError, RejectedError, UnavailableError } from '../../domain/errors.ts';
import { type CallName, refused, shorten } from '../http/errors.ts';
import { Complaint } from './errors.schema.ts';

/** What came back instead of what was asked for. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** The gateway's own words for a model that it does not pass on; the status alone would be any 404. */
const unknownModel =
  /No VirtualModel named|model entity .* not found|(Model entity not|No providers) found for|is not served/i;
/** Two wrote at once, often its own controller: the same again, with what is there now, is right. */
const lostRace = /modified by another request/i;
/** The gateway wraps what a model's server answered in a 502 of its own. */
const wrapped = /^Backend returned (\d{3}): (.*)$/s;

/**
 * The one translation of what the platform answers: a model server's own refusal where the gateway passed one on,
 * `model_not_found` for what the gateway does not route.
 */
export function toFlywheelError({ status: outer, headers, body }: Answered, call: CallName): FlywheelError {
  const { status, complaint } = unwrap(outer, read(body));
  const isUnknown = status === 404 && unknownModel.test(complaint.text);
  const code = complaint.code ?? (isUnknown ? 'model_not_found' : undefined);
  const error = refused({ status, headers, detail: complaint.text, code }, call);
  if (status !== 409 || !lostRace.test(complaint.text)) return error;
  return new UnavailableError(error.message, { kind: 'busy' });
}

/** What was asked for; null where it is refused with this code. */
export async function unless<T>(code: string, asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RejectedError && error.code === code) return null;
    throw error;
  }
}

/**
 * A request that makes a healthy platform fail each time: it answers 500 where others answer 422, so asking again
 * would never end.
 */
export function rejectedByFailure(body: unknown, { provider, doing }: CallName): RejectedError {
  return new RejectedError(
    `${provider} failed (500) twice when asked to ${doing}, while it says that it is well, so something in the ` +
      `request is likely wrong (it has ${shorten(shapeOf(body))}). Its own log has the reason.`,
    { code: 'server_error' },
  );
}

/** Names and sizes: what a caller asked or a model said has no place in logs and histories. */
function shapeOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return 'no fields';
  return Object.entries(body)
    .map(([name, value]) => `${name} of ${(JSON.stringify(value) ?? '').length} characters`)
    .join(', ');
}

function unwrap(status: number, complaint: Complaint): { status: number; complaint: Complaint } {
  const [, inner, text] = wrapped.exec(complaint.text) ?? [];
  if (inner === undefined || text === undefined) return { status, complaint };
  return { status: Number(inner), complaint: read(text) };
}

function read(body: string): Complaint {
  const parsed = Complaint.safeParse(body);
  return parsed.success ? parsed.data : { text: body, code: null };
}
