import type { Json, JsonObject } from '../json.ts';

/** A tool call with parsed arguments. `arguments` is null when they were not valid JSON. */
export interface ToolCall {
  readonly id?: string;
  readonly name: string;
  readonly arguments: Json;
}

export type Role = 'developer' | 'system' | 'user' | 'assistant' | 'tool';

/** A chat message made regular: text content joined from its parts, arguments parsed. */
export interface ChatMessage {
  readonly role: Role;
  readonly content: string | null;
  readonly toolCalls?: readonly ToolCall[];
  readonly toolCallId?: string;
}

/** A tool that a request offers. */
export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments, as given. */
  readonly parameters?: JsonObject;
}

/** What an item is trained on or scored against. A text answer while tools are offered means "no tool". */
export type Target =
  | { readonly kind: 'tool_calls'; readonly calls: readonly ToolCall[] }
  | { readonly kind: 'text'; readonly text: string };
