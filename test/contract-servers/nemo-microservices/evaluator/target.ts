import { isJsonObject, type Json, type JsonObject } from '../../../../domain/json.ts';
import { text } from '../text.ts';

/** A chat-completion endpoint and the model to ask there. */
export interface Endpoint {
  readonly url: string;
  readonly model: string;
  readonly apiKey: string | null;
}

/** An endpoint refused or could not be reached; the reason is the text. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
}

/**
 * A model as targets and judges name it: a NIM's id, resolved through the proxy, or an endpoint of its own, whose
 * url is a base or the whole path.
 */
export function toEndpoint(model: Json, nimUrl: string): Endpoint {
  const own = isJsonObject(model) ? model['api_endpoint'] : undefined;
  if (isJsonObject(own)) {
    const { url, model_id: id, api_key: key = null } = own;
    const path = text(url).replace(/\/$/, '');
    return {
      url: path.endsWith('/chat/completions') ? path : `${path}/chat/completions`,
      model: text(id),
      apiKey: key === null ? null : text(key),
    };
  }
  return { url: `${nimUrl}/v1/chat/completions`, model: text(model), apiKey: null };
}

export async function complete(
  endpoint: Endpoint,
  body: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject> {
  const reply = await fetch(endpoint.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(endpoint.apiKey !== null && { authorization: `Bearer ${endpoint.apiKey}` }),
    },
    body: JSON.stringify({ ...body, model: endpoint.model }),
    signal,
  });
  const answer = (await reply.json()) as JsonObject;
  if (reply.ok) return answer;
  throw new EndpointError(`${reply.status} ${text(answer['message'] ?? JSON.stringify(answer))}`);
}

export function textOf(answer: JsonObject): string {
  const { choices } = answer as { choices?: { message?: { content?: string | null } }[] };
  return choices?.[0]?.message?.content ?? '';
}
