import type { FewShots } from '../../activities/ports/few-shots.ts';
import { servingBody } from '../../domain/experiments/chat-body.ts';
import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import { asksBeyondText } from '../../domain/records/beyond-text.ts';
import type { ResponseSource } from '../../domain/records/record.ts';
import type { Route } from '../../domain/routes/route.ts';
import type { ChatEndpoint, ChatEndpoints } from '../../wiring/open-chat-endpoints.ts';
import { reasonOf } from '../log.ts';
import type { GatewayError } from '../openai-error.ts';
import type { GatewayCall } from './call.ts';
import { type HeaderRecord, toProviderHeaders, toUpstreamHeaders } from './headers.ts';

export interface TargetOptions {
  /** The production model's endpoint: where everything without a route goes. */
  readonly upstream: ChatEndpoint | null;
  readonly endpoints: ChatEndpoints;
  readonly fewShots: FewShots;
}

/** Who answers a call, and exactly what is sent there. */
export interface Target {
  readonly url: string;
  readonly headers: HeaderRecord;
  readonly body: Uint8Array<ArrayBuffer> | string;
  /** The model that is asked, as far as it is known. */
  readonly model: string | null;
  /** 0: the workload's traffic was never moved. */
  readonly routeVersion: number;
  readonly responseSource: ResponseSource;
  /** Why the original is asked although the workload's route has moved. */
  readonly fallback?: 'unsupported_content';
}

/**
 * The route decides; without one the call goes, as it is, to the production model. So does a call that asks for
 * more than text, which no evaluation of the promoted model has covered.
 */
export async function chooseTarget(
  call: GatewayCall,
  request: Pick<Request, 'headers' | 'url'>,
  route: Route | null,
  options: TargetOptions,
): Promise<Target | GatewayError> {
  const routeVersion = route?.version ?? 0;
  const { upstream } = options;
  const fallsBack = route?.serving != null && upstream !== null && asksBeyondText(call.body);
  if (route?.serving && !fallsBack)
    return toPromoted(call, request.headers, route.serving, routeVersion, options);
  if (upstream === null) return noUpstream(call);
  return {
    url: `${completionsUrl(upstream)}${new URL(request.url).search}`,
    headers: toUpstreamHeaders(request.headers, upstream.apiKey),
    body: call.bytes,
    model: typeof call.body['model'] === 'string' ? call.body['model'] : null,
    routeVersion,
    responseSource: 'production',
    ...(fallsBack && { fallback: 'unsupported_content' as const }),
  };
}

async function toPromoted(
  call: GatewayCall,
  incoming: Headers,
  serving: ServingSpec,
  routeVersion: number,
  options: TargetOptions,
): Promise<Target | GatewayError> {
  const endpoint = options.endpoints(serving.provider, serving.model);
  if (endpoint === null)
    return {
      status: 502,
      code: 'unknown_provider',
      message: `The route names the provider "${serving.provider}", which candidates.yaml does not have. Add it there and restart the gateway, or roll back.`,
    };
  let fewShot: string | null;
  try {
    const { messages } = call.body;
    fewShot = await options.fewShots.textFor(serving, Array.isArray(messages) ? messages : []);
  } catch (error) {
    // Without its examples the model is not the one that was approved.
    return {
      status: 502,
      code: 'few_shot_missing',
      message: `The route's few-shot examples cannot be had: ${reasonOf(error)}. Roll back, or restore the artifacts and the embedder.`,
    };
  }
  return {
    url: completionsUrl(endpoint),
    headers: toProviderHeaders(incoming, endpoint.apiKey, call.body['stream'] === true),
    body: JSON.stringify({
      ...servingBody(call.body, { fewShot, maxTokens: serving.maxTokens }),
      model: serving.model,
    }),
    model: serving.model,
    routeVersion,
    responseSource: 'flywheel',
  };
}

function completionsUrl({ baseUrl }: ChatEndpoint): string {
  return `${baseUrl.replace(/\/+$/, '')}/chat/completions`;
}

function noUpstream(call: GatewayCall): GatewayError {
  const why =
    call.workloadId === null
      ? 'The call names no workload (header x-workload-id)'
      : `Workload "${call.workloadId}" has no route`;
  return {
    status: 404,
    code: 'no_upstream',
    message: `${why}, and no upstream is configured for the production model. Set FLYWHEEL_UPSTREAM_URL (such as https://api.openai.com/v1) and restart the gateway, or promote a model for the workload.`,
  };
}
