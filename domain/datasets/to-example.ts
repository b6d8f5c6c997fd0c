import type { JsonObject } from '../json.ts';
import type { ChatMessage, Target, Tool } from '../records/chat.ts';
import { readMessages, readTarget, readTools } from '../records/parse-chat.ts';
import type { StoredRecord } from '../records/record.ts';
import type { Example } from './dataset.ts';

/** Label of an answer in text although tools were offered. */
export const noToolLabel = 'no_tool';
/** Label of an answer in text where no tool was offered. */
export const plainLabel = 'plain';

export type ToExample =
  | { readonly ok: true; readonly example: Example }
  | { readonly ok: false; readonly reason: string };

/**
 * Makes a record regular, or says why nothing can be learned from it. Reasons:
 * `blocked_answer` (the guardrails kept the model's answer from the caller: what stands there is ours),
 * `flywheel_answer` (answered by a model that Flywheel promoted: it would learn from itself),
 * `malformed_messages`, `malformed_tools`, `malformed_answer`, `incomplete_answer` (cut off by its caller),
 * `unsupported_content` (images, audio, custom tools), `unparsable_arguments`,
 * `refusal`, `role_order`, `unknown_tool` (called a tool that the request did not offer).
 */
export function toExample(record: StoredRecord): ToExample {
  // A correction stands in its place.
  if (record.responseSource !== 'gold' && typeof record.extra.blocked_by === 'string')
    return { ok: false, reason: 'blocked_answer' };
  if (record.responseSource === 'flywheel') return { ok: false, reason: 'flywheel_answer' };
  const messages = readMessages(record.request.messages);
  if (!messages.ok) return messages;
  const offered = readTools(record.request.tools);
  if (!offered.ok) return offered;
  const target = readTarget(record.response);
  if (!target.ok) return target;
  if (!isTrainableOrder(messages.value)) return { ok: false, reason: 'role_order' };
  // With `none` the model never sees the tools, so there is no choice among them to learn or to score.
  const tools = record.request.tool_choice === 'none' ? [] : offered.value;
  if (callsUnknownTool(target.value, tools)) return { ok: false, reason: 'unknown_tool' };
  return {
    ok: true,
    example: {
      recordId: record.id,
      group: groupOf(record),
      label: labelOf(target.value, tools),
      messages: messages.value,
      tools,
      ...forcedChoice(record.request, tools),
      target: target.value,
    },
  };
}

/**
 * Records of one conversation share a split; so do conversations that say so in `split_group`, such as several
 * attempts at one task. Both are the client's own, so that two clients may use the same name.
 */
function groupOf(record: StoredRecord): string {
  const splitGroup = record.extra.split_group;
  if (typeof splitGroup === 'string' && splitGroup !== '') return `${record.clientId}/group ${splitGroup}`;
  return record.conversationId === undefined ? record.id : `${record.clientId}/${record.conversationId}`;
}

/** `auto` is the default and changes nothing; a forced choice is part of what was asked. */
function forcedChoice(request: JsonObject, tools: readonly Tool[]): Pick<Example, 'toolChoice'> {
  const choice = request.tool_choice ?? 'auto';
  return tools.length === 0 || choice === 'auto' ? {} : { toolChoice: choice };
}

/** What every trainer accepts: someone asked, each tool result follows a call, the answer comes next. */
function isTrainableOrder(messages: readonly ChatMessage[]): boolean {
  const last = messages.at(-1)?.role;
  if (last !== 'user' && last !== 'tool') return false;
  if (!messages.some((message) => message.role === 'user')) return false;
  return messages.every((message, index) => message.role !== 'tool' || followsCall(messages, index));
}

function followsCall(messages: readonly ChatMessage[], index: number): boolean {
  const before = messages[index - 1];
  return before?.role === 'tool' || (before?.role === 'assistant' && before.toolCalls !== undefined);
}

function callsUnknownTool(target: Target, tools: readonly Tool[]): boolean {
  if (target.kind === 'text') return false;
  const names = new Set(tools.map((tool) => tool.name));
  return target.calls.some((call) => !names.has(call.name));
}

function labelOf(target: Target, tools: readonly Tool[]): string {
  const firstCall = target.kind === 'tool_calls' ? target.calls[0] : undefined;
  if (firstCall !== undefined) return firstCall.name;
  return tools.length > 0 ? noToolLabel : plainLabel;
}
