import type { Example } from '../datasets/dataset.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { toOpenAiMessage, toOpenAiTool } from '../records/to-openai.ts';

/** The part of a `ServingSpec` that shapes a request, its few-shot text loaded. */
export interface ServingShape {
  readonly fewShot: string | null;
  /** Longest answer, in tokens. A caller may ask for less, never for more. */
  readonly maxTokens: number;
}

/**
 * How the answer is drawn is part of what was evaluated, so a caller cannot change it: these are removed,
 * and `temperature` is 0. `n` goes too: several greedy answers are one and the same.
 */
const decodingFields = [
  'temperature',
  'top_p',
  'seed',
  'n',
  'presence_penalty',
  'frequency_penalty',
  'logit_bias',
  'max_tokens',
  'max_completion_tokens',
] as const;

/** What an evaluation asks for an example: exactly what the route would be sent for such a call. */
export function chatBody(
  example: Pick<Example, 'messages' | 'tools' | 'toolChoice'>,
  serving: ServingShape,
): JsonObject {
  const body: JsonObject = {
    messages: example.messages.map(toOpenAiMessage),
    ...(example.tools.length > 0 && { tools: example.tools.map(toOpenAiTool) }),
    ...(example.toolChoice !== undefined && { tool_choice: example.toolChoice }),
  };
  return servingBody(body, serving);
}

/**
 * Turns a caller's request into what the served model is sent: few-shot text in its system message, fixed
 * decoding, a bounded answer. Gateway and evaluator both go through here. `model` is left to the sender.
 */
export function servingBody(body: JsonObject, serving: ServingShape): JsonObject {
  const kept = Object.fromEntries(
    Object.entries(body).filter(([field]) => !(decodingFields as readonly string[]).includes(field)),
  );
  const messages = Array.isArray(body.messages) ? body.messages.map(withKnownRole) : [];
  return {
    ...kept,
    messages: serving.fewShot === null ? messages : withFewShot(messages, serving.fewShot),
    temperature: 0,
    max_completion_tokens: Math.min(askedTokens(body) ?? serving.maxTokens, serving.maxTokens),
  };
}

/** Appends few-shot text to the first system message, or puts one in front. The messages stay as they were. */
export function withFewShot(messages: readonly Json[], fewShot: string): Json[] {
  const index = messages.findIndex(isSystemMessage);
  const system = messages[index];
  if (!isJsonObject(system)) return [{ role: 'system', content: fewShot }, ...messages];
  return messages.map((message, at) =>
    at === index ? { ...system, content: append(system.content, fewShot) } : message,
  );
}

function append(content: Json | undefined, fewShot: string): Json {
  if (Array.isArray(content)) return [...content, { type: 'text', text: `\n\n${fewShot}` }];
  return typeof content === 'string' && content !== '' ? `${content}\n\n${fewShot}` : fewShot;
}

function isSystemMessage(message: Json): boolean {
  return isJsonObject(message) && (message.role === 'system' || message.role === 'developer');
}

function withKnownRole(message: Json): Json {
  return isJsonObject(message) && message.role === 'developer' ? { ...message, role: 'system' } : message;
}

function askedTokens(body: JsonObject): number | null {
  const asked = body.max_completion_tokens ?? body.max_tokens;
  return typeof asked === 'number' && Number.isInteger(asked) && asked > 0 ? asked : null;
}
