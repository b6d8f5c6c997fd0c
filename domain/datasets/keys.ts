import { canonicalJson, sha256 } from '../hash.ts';
import type { Json } from '../json.ts';
import type { ChatMessage, Target, Tool, ToolCall } from '../records/chat.ts';
import type { Example } from './dataset.ts';

/** Hashes by which records are told to be the same, or akin. */
export interface ExampleKeys {
  /** Equal for equal whole requests: system, tools, every message. */
  readonly requestKey: string;
  /** Equal for equal answers. */
  readonly answerKey: string;
  /**
   * Equal for requests with the same system text, tools and first question, whatever their case, punctuation
   * and spacing: the steps of one exchange that has no conversation id, and near-identical questions.
   */
  readonly openingKey: string;
}

export function keysOf(example: Example): ExampleKeys {
  // The tools are most of a request's bytes and alike in most requests: written once for both keys.
  const tools = toolsKey(example.tools);
  return {
    requestKey: key([tools, messages(example.messages), example.toolChoice ?? null]),
    answerKey: key(answer(example.target)),
    openingKey: key([tools, opening(example.messages)]),
  };
}

function key(value: Json): string {
  return sha256(canonicalJson(value));
}

function toolsKey(tools: readonly Tool[]): string {
  return key(tools.map((tool) => [tool.name, tool.description ?? null, tool.parameters ?? null]));
}

function answer(target: Target): Json {
  return target.kind === 'text' ? { text: target.text } : { calls: target.calls.map(bareCall) };
}

function opening(list: readonly ChatMessage[]): Json {
  const question = list.findIndex((message) => message.role === 'user');
  return list.slice(0, question + 1).map((message) => [message.role, loosely(message.content)]);
}

/** Ids of tool calls are chance: calls are numbered as they appear instead. */
function messages(list: readonly ChatMessage[]): Json {
  const numbers = new Map<string, number>();
  const numberOf = (id: string): number => {
    const number = numbers.get(id) ?? numbers.size;
    numbers.set(id, number);
    return number;
  };
  return list.map((message) => [
    message.role,
    message.content,
    (message.toolCalls ?? []).map((call) => [
      call.id === undefined ? null : numberOf(call.id),
      bareCall(call),
    ]),
    message.toolCallId === undefined ? null : numberOf(message.toolCallId),
  ]);
}

function bareCall(call: ToolCall): Json {
  return [call.name, call.arguments];
}

function loosely(text: string | null): string {
  return (text ?? '')
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
