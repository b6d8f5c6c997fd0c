import { isJsonObject, type JsonObject } from '../json.ts';

/**
 * Tools as other systems describe them, in OpenAI's form: OpenAI's own (nested or flat, as OpenTelemetry and the
 * Responses API have them), Anthropic's (`input_schema`) and LangChain's (`args_schema`). What names no
 * function is left out. Undefined where there are none.
 */
export function toTools(value: unknown): JsonObject[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const tools = value.flatMap((tool) => (isJsonObject(tool) ? toTool(tool) : []));
  return tools.length === 0 ? undefined : tools;
}

function toTool(tool: JsonObject): JsonObject[] {
  if (isJsonObject(tool.function)) return [{ type: 'function', ...tool }];
  if (typeof tool.name !== 'string' || tool.name === '') return [];
  const parameters = tool.parameters ?? tool.input_schema ?? tool.args_schema;
  return [
    {
      type: 'function',
      function: {
        name: tool.name,
        ...(typeof tool.description === 'string' && { description: tool.description }),
        ...(isJsonObject(parameters) && { parameters }),
      },
    },
  ];
}

/** Tool calls likewise: `{name, args | arguments | input, id}` or OpenAI's. What names no function stays. */
export function toCalls(value: unknown): JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isJsonObject).map(toCall);
}

function toCall(call: JsonObject, index: number): JsonObject {
  const called = isJsonObject(call.function) ? call.function : call;
  const given = called.arguments ?? called.args ?? called.input ?? {};
  return {
    id: typeof call.id === 'string' && call.id !== '' ? call.id : `call_${index + 1}`,
    type: 'function',
    function: {
      name: called.name ?? '',
      arguments: typeof given === 'string' ? given : JSON.stringify(given),
    },
  };
}
