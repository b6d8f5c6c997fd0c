import type { JsonObject } from '../json.ts';
import type { ChatMessage, Target, Tool, ToolCall } from './chat.ts';

/** A message in OpenAI's form. `developer` becomes `system`: open models know no other word for it. */
export function toOpenAiMessage(message: ChatMessage): JsonObject {
  const role = message.role === 'developer' ? 'system' : message.role;
  return {
    role,
    content: message.content,
    ...(message.toolCalls !== undefined && { tool_calls: message.toolCalls.map(toOpenAiCall) }),
    ...(message.toolCallId !== undefined && { tool_call_id: message.toolCallId }),
  };
}

export function toOpenAiTool(tool: Tool): JsonObject {
  return {
    type: 'function',
    function: {
      name: tool.name,
      ...(tool.description !== undefined && { description: tool.description }),
      parameters: tool.parameters ?? { type: 'object', properties: {} },
    },
  };
}

/** The assistant message that gives the target as its answer. */
export function toOpenAiAnswer(target: Target): JsonObject {
  if (target.kind === 'text') return { role: 'assistant', content: target.text };
  return { role: 'assistant', content: null, tool_calls: target.calls.map(toOpenAiCall) };
}

function toOpenAiCall(call: ToolCall, index: number): JsonObject {
  return {
    id: call.id ?? `call_${index + 1}`,
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  };
}
