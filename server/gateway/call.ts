import { isPlainId, plainIdRule } from '../../domain/ids.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import type { Caller } from '../auth/access.ts';
import { type GatewayError, tooLarge } from '../openai-error.ts';
import { readBytes, TooLargeError } from '../read-bytes.ts';

/** One chat-completion call as an application sent it. */
export interface GatewayCall {
  /** The body exactly as it came; what a pass-through sends on. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly body: JsonObject;
  /** null: not about any workload, so passed through and not logged. */
  readonly workloadId: string | null;
  readonly clientId: string;
  readonly conversationId: string | null;
  /** `cache-control: no-cache` asks for the route as it is at this moment. */
  readonly fresh: boolean;
  /** `x-flywheel-log: off` keeps a probe or a private call out of the log. */
  readonly logged: boolean;
}

/** Calls that do not say whose they are. */
const unknownClient = 'unknown';

/** Reads headers and body, or says what is wrong with them. */
export async function readCall(
  request: Request,
  caller: Caller,
  maxBytes: number,
): Promise<GatewayCall | GatewayError> {
  const { headers } = request;
  // Browsers send this type across origins only after asking, so no web page can talk to a local gateway.
  if (!/^application\/json\b/i.test(headers.get('content-type') ?? ''))
    return { status: 415, code: 'unsupported_media_type', message: 'Send content-type: application/json.' };
  const bytes = await readBytes(request, maxBytes).catch((error: unknown) => {
    if (error instanceof TooLargeError) return null;
    throw error;
  });
  if (bytes === null) return tooLarge(maxBytes);
  const body = parseBody(bytes);
  if (body === null)
    return { status: 400, code: 'invalid_json', message: 'The body must be one JSON object.' };
  const workloadId = headers.get('x-workload-id');
  if (workloadId !== null && !isPlainId(workloadId))
    return {
      status: 400,
      code: 'invalid_workload_id',
      message: `x-workload-id must be ${plainIdRule}.`,
    };
  const clientId = caller.client ?? (headers.get('x-client-id') || unknownClient);
  if (!isPlainId(clientId))
    return { status: 400, code: 'invalid_client_id', message: `x-client-id must be ${plainIdRule}.` };
  return {
    ...{ bytes, body, workloadId, clientId },
    conversationId: headers.get('x-conversation-id') || null,
    fresh: /\bno-cache\b/i.test(headers.get('cache-control') ?? ''),
    logged: headers.get('x-flywheel-log')?.toLowerCase() !== 'off',
  };
}

function parseBody(bytes: Uint8Array): JsonObject | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
