import { canonicalJson, sha256 } from '../hash.ts';
import type { Json } from '../json.ts';
import type { ChatMessage, ToolCall } from '../records/chat.ts';
import type { Example } from './dataset.ts';

/** Equal for equal whole requests. Ids of tool calls are chance: calls are numbered as they appear instead. */
export function requestKey(example: Example): string {
  return sha256(canonicalJson([tools(example), messages(example.messages), example.toolChoice ?? null]));
}

export function answerKey(example: Example): string {
  const target = example.target;
  return sha256(canonicalJson(target.kind === 'text' ? { text: target.text } : { calls: target.calls.map(bareCall) }));
}

/**
 * Equal for requests with the same system text, tools and first question, whatever their case, punctuation
 * and spacing: the steps of one exchange that carries no conversation id, and near-identical questions.
 */
export function openingKey(example: Example): string {
  const question = example.messages.findIndex((message) => message.role === 'user');
  const opening = example.messages.slice(0, question + 1).map((message) => [message.role, loosely(message.content)]);
  return sha256(canonicalJson([tools(example), opening]));
}

function tools(example: Example): Json {
  return example.tools.map((tool) => [tool.name, tool.description ?? null, tool.parameters ?? null]);
}

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
    (message.toolCalls ?? []).map((call) => [call.id === undefined ? null : numberOf(call.id), bareCall(call)]),
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
