import { isJsonObject, type Json, type JsonObject, jsonEqual } from '../../../../domain/json.ts';
import { text } from '../text.ts';
import { render, renderText, type TemplateScope } from './template.ts';

/** Scores of one sample by name; NaN where there is none. */
export type SampleScores = Readonly<Record<string, number>>;

/** Asks a judge: a chat completion's text for a body without its model. */
export type AskJudge = (model: Json, body: JsonObject) => Promise<string>;

export async function score(metric: JsonObject, scope: TemplateScope, ask: AskJudge): Promise<SampleScores> {
  const params = (metric['params'] ?? {}) as JsonObject;
  switch (text(metric['type'])) {
    case 'string-check':
      return { 'string-check': checkString(params['check'] as [string, string, string], scope) };
    case 'tool-calling':
      return compareCalls(params, scope);
    case 'llm-judge':
      return judge(params, scope, ask);
    default:
      throw new Error(`metric type ${text(metric['type'])} is not supported`);
  }
}

function checkString([left, operator, right]: [string, string, string], scope: TemplateScope): number {
  const [a, b] = [renderText(left, scope), renderText(right, scope)];
  return Number(compare(a, operator, b));
}

function compare(a: string, operator: string, b: string): boolean {
  switch (operator) {
    case 'equals':
    case '==':
      return a === b;
    case 'not equals':
    case '!=':
    case '<>':
      return a !== b;
    case 'contains':
      return a.includes(b);
    case 'not contains':
      return !a.includes(b);
    case 'startswith':
      return a.startsWith(b);
    case 'endswith':
      return a.endsWith(b);
    default:
      throw new Error(`unknown operator ${operator}`);
  }
}

/** Names as a set, arguments deeply; arguments that are no JSON are not a number. */
function compareCalls(params: JsonObject, scope: TemplateScope): SampleScores {
  const truth = readCalls(render(params['tool_calls_ground_truth'] ?? null, scope));
  const response = (scope.sample?.response ?? {}) as { choices?: { message?: { tool_calls?: Json } }[] };
  const given = readCalls(response.choices?.[0]?.message?.tool_calls ?? []);
  const names = (calls: readonly Call[]) => calls.map(({ name }) => name.replaceAll('.', '_')).sort();
  const sameNames = jsonEqual(names(truth), names(given));
  const unreadable = [...truth, ...given].some(({ args }) => args === undefined);
  const sameArguments = truth.every(({ name, args = null }) =>
    given.some((call) => call.name === name && jsonEqual(call.args ?? null, args)),
  );
  return {
    function_name_accuracy: Number(sameNames),
    function_name_and_args_accuracy: unreadable ? Number.NaN : Number(sameNames && sameArguments),
  };
}

interface Call {
  readonly name: string;
  /** undefined where they cannot be read. */
  readonly args: Json | undefined;
}

function readCalls(calls: Json): readonly Call[] {
  if (!Array.isArray(calls)) return [];
  return calls.filter(isJsonObject).map((call) => {
    const called = (call['function'] ?? {}) as JsonObject;
    return { name: text(called['name']), args: readArguments(called['arguments'] ?? null) };
  });
}

function readArguments(args: Json): Json | undefined {
  if (typeof args !== 'string') return args;
  try {
    return JSON.parse(args) as Json;
  } catch {
    return undefined;
  }
}

/** The first group of the pattern is the score, found anywhere: `(\d)` reads a 10 as 1. */
async function judge(params: JsonObject, scope: TemplateScope, ask: AskJudge): Promise<SampleScores> {
  const body = render(params['template'] ?? {}, scope) as JsonObject;
  const said = await ask(params['model'] ?? null, body);
  return Object.fromEntries(
    Object.entries((params['scores'] ?? {}) as Record<string, JsonObject>).map(
      ([name, { parser = null }]) => {
        const [, found] = new RegExp(text((parser as JsonObject)['pattern'])).exec(said) ?? [];
        return [name, found === undefined ? Number.NaN : Number.parseInt(found, 10)];
      },
    ),
  );
}
