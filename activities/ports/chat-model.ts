import type { JsonObject } from '../../domain/json.ts';

export interface ChatRequest {
  readonly model: string;
  /** Messages, tools, `tool_choice` and so on in OpenAI's form; `model` above wins. */
  readonly body: JsonObject;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface ChatReply {
  /** The chat completion, verbatim. */
  readonly response: JsonObject;
  readonly latencyMs: number;
}

/**
 * One OpenAI-dialect endpoint. Errors: `UnavailableError` (time-out, 429, 5xx, unreachable),
 * `RejectedError` with the server's `code` (such as `context_length_exceeded`).
 */
export interface ChatModel {
  complete(request: ChatRequest): Promise<ChatReply>;
  /** Prompt length by the model's own tokenizer, and its context; null when the server cannot tell. */
  countTokens(model: string, body: JsonObject): Promise<{ count: number; contextLength: number } | null>;
  /** Whether the server lists the model, that is, would answer for it. */
  isServed(model: string): Promise<boolean>;
}

/** Chat models by provider name. Throws `NotFoundError` naming the configured ones. */
export type ChatModels = (provider: string) => ChatModel;
