import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { toRecordRow } from './foreign-call.ts';
import { importValues } from './import-values.ts';
import type { ImportedRow, Importer, ImportOptions } from './importer.ts';
import { objectOf, parseIfJson, textOf } from './loose.ts';

/**
 * LangSmith's runs, one per line, as a list, or as a page of its API (`{runs: […]}`): the fields are those of
 * https://docs.langchain.com/langsmith/run-data-format, the messages those of
 * https://docs.langchain.com/langsmith/log-llm-trace (OpenAI's, Anthropic's and LangChain's). A run of type `llm`
 * is a record; its `child_runs` are read too. Runs of one thread, else of one trace, are one conversation.
 */
export const langsmith: Importer = {
  description: 'LangSmith runs (JSON, JSON Lines): those of type llm',
  example: 'runs.jsonl --format langsmith --workload support --client web',

  read: (source, options) => importValues(source, (line, value) => readRun(line, value, options)),
};

function* readRun(line: number, value: unknown, options: ImportOptions): Generator<ImportedRow> {
  if (!isJsonObject(value)) {
    yield { line, reason: 'not_an_object', detail: 'A run must be a JSON object.' };
    return;
  }
  if (value.run_type === 'llm') yield toRow(line, value, options);
  else
    yield {
      line,
      reason: 'not_a_model_call',
      detail: `It is a run of type ${JSON.stringify(value.run_type)}.`,
    };
  const children = Array.isArray(value.child_runs) ? value.child_runs : [];
  for (const child of children) yield* readRun(line, child, options);
}

function toRow(line: number, run: JsonObject, options: ImportOptions): ImportedRow {
  const extra = objectOf(run.extra);
  const metadata = objectOf(extra.metadata);
  const invocation = { ...objectOf(extra.invocation_params), ...objectOf(metadata.ls_invocation_params) };
  const inputs = objectOf(run.inputs);
  return toRecordRow(
    {
      line,
      source: { format: 'langsmith', ...named(run.name) },
      id: textOf(run.id),
      timestamp: run.start_time ?? null,
      endTimestamp: run.end_time,
      conversationId: threadOf(metadata) ?? textOf(run.trace_id),
      model: textOf(metadata.ls_model_name ?? inputs.model ?? invocation.model ?? invocation.model_name),
      input: inputs.messages ?? inputs.input ?? inputs.prompt ?? null,
      output: parseIfJson(run.outputs),
      tools: inputs.tools ?? invocation.tools ?? invocation.functions,
      parameters: parametersOf({ ...invocation, ...inputs }),
      promptTokens: run.prompt_tokens,
      completionTokens: run.completion_tokens,
      error: textOf(run.error),
    },
    options,
  );
}

/** https://docs.langchain.com/langsmith/threads: any of these keys names one. */
function threadOf(metadata: JsonObject): string | null {
  return textOf(metadata.thread_id) ?? textOf(metadata.session_id) ?? textOf(metadata.conversation_id);
}

const parameters = ['temperature', 'top_p', 'max_tokens', 'seed', 'tool_choice', 'response_format'] as const;

function parametersOf(given: JsonObject): JsonObject {
  return Object.fromEntries(
    parameters.flatMap((name): [string, Json][] => (given[name] == null ? [] : [[name, given[name]]])),
  );
}

function named(name: unknown): JsonObject {
  return typeof name === 'string' ? { name } : {};
}
