import type { Json, JsonObject } from '../json.ts';
import { toRecordRow } from './foreign-call.ts';
import { numbered, readContent } from './gen-ai.ts';
import { guarded } from './import-values.ts';
import type { ImportedRow, Importer, ImportOptions } from './importer.ts';
import { readJsonValues } from './json-values.ts';
import { parseIfJson, textOf } from './loose.ts';
import { type OtlpEvent, type OtlpItem, readOtlp } from './otlp.ts';

/**
 * OpenTelemetry's OTLP JSON, in the GenAI semantic conventions
 * (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/): a span of a model call is a record, with what
 * its attributes and events say (`gen-ai.ts`). Events that came as log records are joined to their span, in
 * whatever order the file holds both, so that spans without content of their own wait for the end of the file.
 * Calls of one `gen_ai.conversation.id`, else of one session, else of one trace, are one conversation.
 */
export const otel: Importer = {
  description: 'OpenTelemetry OTLP JSON (spans, logs) in the GenAI conventions: one record per model call',
  example: 'traces.jsonl --format otel --workload support --client web',

  async *read(source, options) {
    const waiting: Waiting[] = [];
    const events = new Map<string, Joined>();
    for await (const { line, ...read } of readJsonValues(source)) {
      if (!('value' in read)) {
        yield { line, ...read };
        continue;
      }
      yield* guarded(line, () => {
        const items = readOtlp(read.value);
        if (items === null)
          return [{ line, reason: 'not_otlp', detail: 'It has neither resourceSpans nor resourceLogs.' }];
        return items.flatMap((item) => sortOut({ line, item }, waiting, events, options));
      });
    }
    for (const each of waiting) {
      const joined = events.get(each.item.spanKey ?? '');
      if (joined !== undefined) events.delete(each.item.spanKey ?? '');
      yield* guarded(each.line, () => [toRow(each, joined?.events ?? [], options)]);
    }
    // Logs alone: the event that holds a whole call is one.
    for (const { first, events: alone } of events.values())
      yield* guarded(first.line, () => [toRow(first, alone, options)]);
  },
};

interface Waiting {
  readonly line: number;
  readonly item: OtlpItem;
}

/** Events of one span, and the log record that the first of them was. */
interface Joined {
  readonly first: Waiting;
  readonly events: OtlpEvent[];
}

function sortOut(
  each: Waiting,
  waiting: Waiting[],
  events: Map<string, Joined>,
  options: ImportOptions,
): ImportedRow[] {
  const { line, item } = each;
  if (item.kind === 'log') return keepEvent(each, events);
  if (!isModelCall(item)) {
    const detail = `The span ${JSON.stringify(item.name)} is no call of a model.`;
    return [{ line, reason: 'not_a_model_call', detail }];
  }
  const content = readContent(item.attributes, item.events);
  if (content.input.length > 0 && content.output !== null) return [toRow(each, [], options)];
  waiting.push(each);
  return [];
}

function keepEvent(each: Waiting, events: Map<string, Joined>): ImportedRow[] {
  const { line, item } = each;
  if (item.name?.startsWith('gen_ai.') !== true) {
    return [
      { line, reason: 'not_a_model_call', detail: 'The log record is no event of the GenAI conventions.' },
    ];
  }
  const key = item.spanKey ?? `line ${line}, event ${events.size}`;
  const joined = events.get(key) ?? { first: each, events: [] };
  joined.events.push({ name: item.name, attributes: item.attributes, body: item.body });
  events.set(key, joined);
  return [];
}

const modelOperations = new Set<unknown>(['chat', 'generate_content', 'text_completion', 'completion']);

/** Spans of agents and tools may repeat the messages of the calls within them; they are no calls themselves. */
function isModelCall({ attributes }: OtlpItem): boolean {
  const operation = attributes['gen_ai.operation.name'] ?? attributes['llm.request.type'];
  if (operation != null) return modelOperations.has(operation);
  return attributes['gen_ai.request.model'] != null && attributes['gen_ai.tool.name'] == null;
}

function toRow({ line, item }: Waiting, joined: readonly OtlpEvent[], options: ImportOptions): ImportedRow {
  const attributes = { ...detailsOf(joined), ...item.attributes };
  const { input, output } = readContent(attributes, [...item.events, ...joined]);
  if (input.length === 0 && item.error === null) return withoutContent(line);
  const given = (name: string): Json => attributes[name] ?? null;
  return toRecordRow(
    {
      line,
      source: { format: 'otel', ...(item.kind === 'span' && item.name !== null && { name: item.name }) },
      id: item.spanKey,
      timestamp: item.start,
      endTimestamp: item.end,
      conversationId: textOf(given('gen_ai.conversation.id')) ?? textOf(given('session.id')) ?? item.traceId,
      model: textOf(given('gen_ai.response.model')) ?? textOf(given('gen_ai.request.model')),
      input,
      output,
      tools: parseIfJson(given('gen_ai.tool.definitions')) ?? numbered(attributes, 'llm.request.functions'),
      parameters: parametersOf(attributes),
      promptTokens: given('gen_ai.usage.input_tokens') ?? given('gen_ai.usage.prompt_tokens'),
      completionTokens: given('gen_ai.usage.output_tokens') ?? given('gen_ai.usage.completion_tokens'),
      error: item.error,
    },
    options,
  );
}

function detailsOf(events: readonly OtlpEvent[]): JsonObject {
  return events.find((event) => event.name === 'gen_ai.client.inference.operation.details')?.attributes ?? {};
}

function withoutContent(line: number): ImportedRow {
  const detail =
    'It holds no messages: capturing them is opt-in ' +
    '(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true in most instrumentations).';
  return { line, reason: 'no_messages', detail };
}

const parameters = [
  'temperature',
  'top_p',
  'max_tokens',
  'seed',
  'presence_penalty',
  'frequency_penalty',
] as const;

function parametersOf(attributes: JsonObject): JsonObject {
  return Object.fromEntries(
    parameters.flatMap((name): [string, Json][] => {
      const value = attributes[`gen_ai.request.${name}`];
      return typeof value === 'number' ? [[name, value]] : [];
    }),
  );
}
