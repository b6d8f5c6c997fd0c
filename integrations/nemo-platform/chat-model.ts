import type { ChatModel, ChatReply, ChatRequest } from '../../activities/ports/chat-model.ts';
import { RejectedError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { ChatCompletion } from '../openai/chat.schema.ts';
import { createChatModel as createOpenAiChatModel } from '../openai/chat-model.ts';
import { createModelsClient, type ModelsClient } from './models.ts';
import { type Reference, referenceText, toReference } from './names.ts';
import { openAiPath } from './openai-path.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport } from './transport.ts';

/**
 * Chat completions through the platform's inference gateway. Models are named `workspace/name`, or `name` in our
 * workspace; a model answers once a virtual model routes to a provider that serves it (see `deployer.ts`).
 */
export function createChatModel(settings: NemoPlatformSettings): ChatModel {
  const transport = createTransport(settings);
  const models = createModelsClient(transport);

  async function complete(request: ChatRequest): Promise<ChatReply> {
    const model = toReference(request.model, settings.workspace);
    const started = performance.now();
    const response = await transport.call({
      doing: `answer with ${request.model}`,
      method: 'POST',
      path: `${openAiPath(model.workspace)}/chat/completions`,
      body: { ...request.body, model: referenceText(model) },
      timeoutMs: request.timeoutMs,
      ...(request.signal && { signal: request.signal }),
      reply: ChatCompletion,
    });
    return { response, latencyMs: Math.round(performance.now() - started) };
  }

  return {
    complete,
    countTokens: (model, body) => countTokens(settings, models, toReference(model, settings.workspace), body),
    isServed: (model) => models.isRouted(toReference(model, settings.workspace)),
  };
}

/** At the model server itself, which the gateway passes no such request on to; null where it is not ours. */
async function countTokens(
  { modelServer, ...settings }: NemoPlatformSettings,
  models: ModelsClient,
  model: Reference,
  body: JsonObject,
): Promise<{ count: number; contextLength: number } | null> {
  if (modelServer === undefined) return null;
  const upstream = await upstreamName(models, model);
  if (upstream === null) {
    throw new RejectedError(`${settings.name} serves no ${referenceText(model)}.`, {
      code: 'model_not_found',
    });
  }
  const server = createOpenAiChatModel({ ...settings, baseUrl: `${modelServer}/v1`, apiKey: null });
  return server.countTokens(upstream, body);
}

/** What the provider behind a virtual model calls it. */
async function upstreamName(models: ModelsClient, model: Reference): Promise<string | null> {
  const routed = await models.virtualModel(model);
  const entityId = routed?.default_model_entity ?? referenceText(model);
  for (const provider of await models.providers(model.workspace)) {
    const served = provider.served_models.find((one) => one.model_entity_id === entityId);
    if (served) return served.served_model_name;
  }
  return null;
}
