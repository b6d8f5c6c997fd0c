import type { EvaluationRow } from '../../activities/ports/evaluator.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';

/** Rows that are asked by one template and scored by one metric. */
export interface EvaluationTask {
  readonly name: string;
  /** Rows of its dataset, as JSON lines. */
  readonly lines: readonly string[];
  /** The request body, in which `{{ item.… }}` stands for a column. */
  readonly template: JsonObject;
  readonly metrics: JsonObject;
}

/**
 * A task per form of request. A template is the same for every row of a task, so what differs in form (with and
 * without tools, other limits) goes into tasks of its own. Whatever the customer wrote is a column, never part of
 * the template: what looks like a template mark in it stays what it is.
 */
export function toTasks(rows: readonly EvaluationRow[]): readonly EvaluationTask[] {
  const forms = new Map<string, { template: JsonObject; kind: TargetKind; lines: string[] }>();
  for (const { itemId, body, target } of rows) {
    const { template, columns } = split(body);
    const { kind, columns: truth } = toTruth(target);
    const form = JSON.stringify([kind, Object.entries(template).sort(([a], [b]) => (a < b ? -1 : 1))]);
    const task = forms.get(form) ?? { template, kind, lines: [] };
    task.lines.push(JSON.stringify({ item_id: itemId, ...columns, ...truth }));
    forms.set(form, task);
  }
  return [...forms.values()].map(({ template, kind, lines }, index) => ({
    name: `${kind}-${index + 1}`,
    lines,
    template,
    metrics: metrics[kind],
  }));
}

type TargetKind = 'calls' | 'text';

/** The metrics that Evaluator has for it. Its names are the ones that come back. */
const metrics: Readonly<Record<TargetKind, JsonObject>> = {
  calls: {
    'tool-calling': {
      type: 'tool-calling',
      params: { tool_calls_ground_truth: '{{ item.target_calls | tojson }}' },
    },
  },
  text: {
    'string-check': {
      type: 'string-check',
      params: { check: ['{{ sample.output_text }}', 'equals', '{{ item.target_text }}'] },
    },
  },
};

/** Numbers and switches stay in the template; texts, lists and objects become columns. */
function split(body: JsonObject): { template: JsonObject; columns: JsonObject } {
  const template: JsonObject = {};
  const columns: JsonObject = {};
  for (const [key, value] of Object.entries(body)) {
    if (key === 'model') continue;
    if (typeof value === 'number' || typeof value === 'boolean' || isPlainWord(value)) {
      template[key] = value;
      continue;
    }
    // Column names are lower-cased by the service, and what is no letter or digit becomes an underscore.
    const column = `body_${key.toLowerCase().replace(/[^a-z0-9]/g, '_')}`;
    columns[column] = value;
    template[key] = `{{ item.${column} | tojson }}`;
  }
  return { template, columns };
}

/** `required`, `auto` and the like, which cannot hold a template. */
function isPlainWord(value: Json): boolean {
  return typeof value === 'string' && /^\w*$/.test(value);
}

/** Calls to compare with hold objects where OpenAI has a string of JSON. */
function toTruth(target: JsonObject): { kind: TargetKind; columns: JsonObject } {
  const { tool_calls: calls, content = null } = target;
  if (!Array.isArray(calls) || calls.length === 0) {
    return { kind: 'text', columns: { target_text: typeof content === 'string' ? content : '' } };
  }
  const truth = calls.flatMap((call) => {
    const called = isJsonObject(call) ? call['function'] : undefined;
    if (!isJsonObject(called)) return [];
    const { name = '', arguments: args = null } = called;
    return [{ function: { name, arguments: readArguments(args) } }];
  });
  return { kind: 'calls', columns: { target_calls: truth } };
}

function readArguments(args: Json): Json {
  if (typeof args !== 'string') return args;
  try {
    return JSON.parse(args) as Json;
  } catch {
    return args;
  }
}
