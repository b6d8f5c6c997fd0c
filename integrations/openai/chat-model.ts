import type { ChatModel, ChatReply, ChatRequest } from '../../activities/ports/chat-model.ts';
import type { JsonObject } from '../../domain/json.ts';
import { ChatCompletion, Tokenization } from './chat.schema.ts';
import { type Client, createClient, type ProviderSettings } from './client.ts';
import { isMissingRoute } from './errors.ts';
import { listModels } from './list-models.ts';

/** Tokenizing computes little; a loaded CPU server may still take seconds. */
const tokenizeTimeoutMs = 30_000;

/** Chat completions of any OpenAI-dialect server. */
export function createChatModel(settings: ProviderSettings): ChatModel {
  const client = createClient(settings);
  return {
    complete: (request) => complete(client, request),
    countTokens: (model, body) => countTokens(client, model, body),
    async isServed(model) {
      return (await listModels(client)).includes(model);
    },
  };
}

async function complete(client: Client, request: ChatRequest): Promise<ChatReply> {
  const started = performance.now();
  const response = await client.call({
    doing: `answer with ${request.model}`,
    timeoutMs: request.timeoutMs,
    ...(request.signal ? { signal: request.signal } : {}),
    reply: ChatCompletion,
    send: (openai, options) =>
      openai.post('/chat/completions', { ...options, body: { ...request.body, model: request.model } }),
  });
  return { response, latencyMs: Math.round(performance.now() - started) };
}

async function countTokens(client: Client, model: string, body: JsonObject) {
  // vLLM serves it beside `/v1`, not below it.
  const url = `${client.baseUrl.replace(/\/v\d+\/?$/, '')}/tokenize`;
  const { messages, tools } = body;
  try {
    return await client.call({
      doing: `count tokens for ${model}`,
      timeoutMs: tokenizeTimeoutMs,
      reply: Tokenization,
      send: (openai, options) =>
        openai.post(url, {
          ...options,
          body: { model, messages, ...(tools === undefined ? {} : { tools }) },
        }),
    });
  } catch (error) {
    // Servers without the route (OpenAI itself) answer 404 or 405.
    if (isMissingRoute(error)) return null;
    throw error;
  }
}
