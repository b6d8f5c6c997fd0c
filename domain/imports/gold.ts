import type { JsonObject } from '../json.ts';
import { parseRecord } from '../records/parse.ts';
import { type ImportedRow, type ImportOptions, rowTimestamp } from './importer.ts';

/** Short on purpose: it is part of every row, and each token costs training time. */
export const routingPrompt = 'Call the tool that fits.';

/** Data sets have no answers for questions that no tool fits: this synthetic sentence stands for "no tool". */
export const noToolAnswer = 'None of the tools fits that.';

/** A question with a label that people made, as a call that was answered with it. */
export interface GoldRow {
  readonly line: number;
  readonly messages: readonly JsonObject[];
  readonly tools: readonly JsonObject[];
  /** The right calls; empty where none is right. */
  readonly calls: readonly { readonly name: string; readonly arguments: JsonObject }[];
  /** Where the row comes from; kept beside the record. */
  readonly dataset: JsonObject;
}

/** Its `response_source` is `gold`: no model answered, and reports say so. */
export function goldRecord(row: GoldRow, options: ImportOptions): ImportedRow {
  const { line, calls } = row;
  const parsed = parseRecord({
    timestamp: rowTimestamp(line),
    workload_id: options.workloadId,
    client_id: options.clientId,
    request: { messages: [...row.messages], tools: [...row.tools] },
    response: {
      object: 'chat.completion',
      choices: [
        { index: 0, message: answerOf(calls), finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' },
      ],
    },
    response_source: 'gold',
    dataset: row.dataset,
  });
  if (parsed.ok) return { line, record: parsed.record };
  return { line, reason: parsed.reason, detail: parsed.detail };
}

/** A name that OpenAI's API takes for a function: letters, digits, `_` and `-`, at most 64. */
export function toolName(label: string): string {
  return label
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 64);
}

/** Labels as tools without arguments, in alphabetical order: the same list in every request. */
export function labelTools(labels: Iterable<string>): JsonObject[] {
  return [...new Set(labels)].sort().map((name) => ({
    type: 'function',
    function: { name, parameters: { type: 'object', properties: {} } },
  }));
}

/** The messages of a request that asks for routing. */
export function routingMessages(question: string): JsonObject[] {
  return [
    { role: 'system', content: routingPrompt },
    { role: 'user', content: question },
  ];
}

function answerOf(calls: GoldRow['calls']): JsonObject {
  if (calls.length === 0) return { role: 'assistant', content: noToolAnswer };
  return {
    role: 'assistant',
    content: null,
    tool_calls: calls.map((call, index) => ({
      id: `call_${index + 1}`,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
    })),
  };
}
