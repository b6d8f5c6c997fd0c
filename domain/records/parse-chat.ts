import { findUnstorable, isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { ChatMessage, Role, Target, Tool, ToolCall } from './chat.ts';

/** Thrown inside this file only: turned into a result at its exports. */
class Unreadable extends Error {
  readonly reason: string;

  constructor(reason: string, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string; readonly detail: string };

const roles: readonly string[] = ['developer', 'system', 'user', 'assistant', 'tool'] satisfies Role[];

/** Reads a request's messages. Reasons: `malformed_messages`, `unsupported_content`, `unparsable_arguments`. */
export function readMessages(value: unknown): Read<ChatMessage[]> {
  return attempt(() => {
    if (!Array.isArray(value) || value.length === 0) {
      throw new Unreadable('malformed_messages', 'messages must be a list that is not empty.');
    }
    return value.map(readMessage);
  });
}

/** Reads a request's tools; none when absent, null or empty. Reasons: `malformed_tools`, `unsupported_content`. */
export function readTools(value: unknown): Read<Tool[]> {
  return attempt(() => {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw new Unreadable('malformed_tools', 'tools must be a list.');
    return value.map(readTool);
  });
}

/**
 * Reads the answer of a chat completion: its first choice.
 * Reasons: `incomplete_answer`, `refusal`, `unparsable_arguments`, `unsupported_content`, `malformed_answer`.
 */
export function readTarget(response: unknown): Read<Target> {
  return attempt(() => {
    const choice =
      isJsonObject(response) && Array.isArray(response.choices) ? response.choices[0] : undefined;
    const message = isJsonObject(choice) ? choice.message : undefined;
    if (!isJsonObject(message)) throw new Unreadable('malformed_answer', 'The first choice has no message.');
    return toTarget(message, isJsonObject(choice) ? choice.finish_reason : undefined);
  });
}

function toTarget(message: JsonObject, finishReason: unknown): Target {
  if (finishReason === 'cancelled') {
    throw new Unreadable('incomplete_answer', 'The caller hung up before the answer was complete.');
  }
  if (typeof message.refusal === 'string' && message.refusal !== '') {
    throw new Unreadable('refusal', 'The model refused.');
  }
  requireNoAudio(message);
  const calls = readToolCalls(message.tool_calls);
  if (calls.some((call) => call.arguments === null)) {
    throw new Unreadable('unparsable_arguments', 'The arguments of a tool call are not a JSON object.');
  }
  if (calls.length > 0) return { kind: 'tool_calls', calls };
  const text = readContent(message.content);
  if (text !== null && text.trim() !== '') return { kind: 'text', text };
  if (finishReason === 'content_filter') throw new Unreadable('refusal', 'The answer was filtered.');
  throw new Unreadable('malformed_answer', 'The answer has neither text nor a tool call.');
}

function readMessage(value: unknown): ChatMessage {
  if (!isJsonObject(value) || typeof value.role !== 'string' || !roles.includes(value.role)) {
    throw new Unreadable('malformed_messages', `A message needs a role, one of ${roles.join(', ')}.`);
  }
  const role = value.role as Role;
  requireNoAudio(value);
  const content = readContent(value.content);
  const calls = role === 'assistant' ? readToolCalls(value.tool_calls) : [];
  if (calls.some((call) => call.arguments === null)) {
    throw new Unreadable(
      'unparsable_arguments',
      'The arguments of a tool call in the history are not a JSON object.',
    );
  }
  if (content === null && calls.length === 0) {
    throw new Unreadable('malformed_messages', `A ${role} message has neither content nor a tool call.`);
  }
  return {
    role,
    content,
    ...(calls.length > 0 && { toolCalls: calls }),
    ...(typeof value.tool_call_id === 'string' && { toolCallId: value.tool_call_id }),
  };
}

/** Spoken answers have their words beside the sound, but only the sound was the answer. */
function requireNoAudio(message: JsonObject): void {
  if (isJsonObject(message.audio))
    throw new Unreadable('unsupported_content', 'Audio is not supported, only text.');
}

/** Text as a string or as parts; parts of other kinds (images, audio) are not something we can train on. */
function readContent(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return value;
  if (!Array.isArray(value))
    throw new Unreadable('malformed_messages', 'content must be text, parts or null.');
  const texts = value.map((part) => {
    if (isJsonObject(part) && part.type === 'text' && typeof part.text === 'string') return part.text;
    const kind = isJsonObject(part) ? JSON.stringify(part.type) : typeof part;
    throw new Unreadable('unsupported_content', `Content of kind ${kind} is not supported, only text.`);
  });
  return texts.join('');
}

/** Reads `tool_calls`: arguments as JSON text or as an object; null where they are no JSON object. */
function readToolCalls(value: unknown): ToolCall[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Unreadable('malformed_answer', 'tool_calls must be a list.');
  return value.map((call) => {
    if (isJsonObject(call) && call.type === 'custom')
      throw new Unreadable(
        'unsupported_content',
        'Calls of custom tools are not supported, only of functions.',
      );
    const called =
      isJsonObject(call) && (call.type === undefined || call.type === 'function') ? call.function : undefined;
    if (!isJsonObject(called) || typeof called.name !== 'string' || called.name === '') {
      throw new Unreadable('malformed_answer', 'A tool call names no function.');
    }
    const id = isJsonObject(call) && typeof call.id === 'string' ? call.id : undefined;
    return { ...(id !== undefined && { id }), name: called.name, arguments: readArguments(called.arguments) };
  });
}

/** Models write no arguments as nothing, as empty text or as `{}`: one and the same. */
function readArguments(value: unknown): Json {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'string') return isJsonObject(value) ? value : null;
  if (value.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(value);
    return isJsonObject(parsed) && findUnstorable(parsed) === null ? parsed : null;
  } catch {
    return null;
  }
}

function readTool(value: unknown): Tool {
  if (isJsonObject(value) && value.type === 'custom')
    throw new Unreadable('unsupported_content', 'Custom tools are not supported, only functions.');
  const described = isJsonObject(value) ? value.function : undefined;
  if (!isJsonObject(described) || typeof described.name !== 'string' || described.name === '') {
    throw new Unreadable('malformed_tools', 'A tool needs a function with a name.');
  }
  return {
    name: described.name,
    ...(typeof described.description === 'string' && { description: described.description }),
    ...(isJsonObject(described.parameters) && { parameters: described.parameters }),
  };
}

function attempt<T>(read: () => T): Read<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ok: false, reason: error.reason, detail: error.message };
  }
}
