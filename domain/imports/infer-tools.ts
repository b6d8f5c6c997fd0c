import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { compareText } from '../order.ts';

interface Seen {
  calls: number;
  /** JSON types by argument, and in how many calls it was given. */
  readonly arguments: Map<string, { given: number; readonly types: Set<string> }>;
}

/**
 * Describes the tools that some calls must have had: their names, arguments and types, in alphabetical order.
 * An argument is required where every call gave it. What was offered and never called is not known, nor are
 * descriptions: a record with such tools says so (`tools_source: "inferred"`).
 */
export function inferTools(messages: Iterable<JsonObject>): JsonObject[] {
  const tools = new Map<string, Seen>();
  for (const message of messages) for (const call of callsOf(message)) observe(tools, call);
  return [...tools]
    .sort(([left], [right]) => compareText(left, right))
    .map(([name, seen]) => toTool(name, seen));
}

interface Call {
  readonly name: string;
  readonly arguments: JsonObject;
}

function callsOf(message: JsonObject): Call[] {
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  return calls.flatMap((call) => {
    const called = isJsonObject(call) ? call.function : undefined;
    if (!isJsonObject(called) || typeof called.name !== 'string' || called.name === '') return [];
    return [{ name: called.name, arguments: readArguments(called.arguments) }];
  });
}

/** Arguments that cannot be read tell nothing; the call itself still shows that the tool is there. */
function readArguments(value: Json | undefined): JsonObject {
  if (isJsonObject(value)) return value;
  if (typeof value !== 'string') return {};
  try {
    const parsed: unknown = JSON.parse(value);
    return isJsonObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function observe(tools: Map<string, Seen>, call: Call): void {
  const seen = tools.get(call.name) ?? { calls: 0, arguments: new Map() };
  tools.set(call.name, seen);
  seen.calls += 1;
  for (const [name, value] of Object.entries(call.arguments)) {
    const argument = seen.arguments.get(name) ?? { given: 0, types: new Set() };
    seen.arguments.set(name, argument);
    argument.given += 1;
    argument.types.add(typeOf(value));
  }
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function toTool(name: string, seen: Seen): JsonObject {
  const given = [...seen.arguments].sort(([left], [right]) => compareText(left, right));
  const required = given
    .filter(([, argument]) => argument.given === seen.calls)
    .map(([argument]) => argument);
  const properties = Object.fromEntries(given.map(([argument, { types }]) => [argument, schemaOf(types)]));
  return {
    type: 'function',
    function: {
      name,
      parameters: { type: 'object', properties, ...(required.length > 0 && { required }) },
    },
  };
}

function schemaOf(types: ReadonlySet<string>): JsonObject {
  // Whole numbers are numbers: 250 and 12.5 are one argument's values.
  const list = [...types].filter((type) => type !== 'integer' || !types.has('number')).sort();
  return { type: list.length === 1 ? (list[0] as string) : list };
}
