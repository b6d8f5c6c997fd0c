import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { readCsv } from './csv.ts';
import { toRecordRow } from './foreign-call.ts';
import { guarded, importValues } from './import-values.ts';
import type { ImportedRow, Importer, ImportOptions, ImportSource } from './importer.ts';
import { objectOf, parseIfJson, textOf } from './loose.ts';

/**
 * Langfuse's observations: exports of the observations table (JSON, JSON Lines, CSV), pages of the observations
 * API (`{data: […]}`), downloads of one trace, and files of the blob storage export, whose fields are in
 * snake_case: https://langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields. An observation
 * of type `GENERATION` is a record. Those of one session, else of one trace, are one conversation.
 */
export const langfuse: Importer = {
  description:
    'Langfuse observations (JSON, JSON Lines, CSV) or a trace’s download: those of type GENERATION',
  example: 'observations.jsonl --format langfuse --workload support --client web',

  async *read(source, options) {
    if (!(await isCsv(source))) {
      yield* importValues(source, (line, value) => readObservations(line, value, options));
      return;
    }
    const rows = readCsv(
      await source.text(),
      ['type', 'input', 'output'],
      'an export of Langfuse’s observations',
    );
    for (const { line, cells } of rows)
      yield* guarded(line, () => readObservations(line, { ...cells }, options));
  },
};

async function isCsv(source: ImportSource): Promise<boolean> {
  for await (const line of source.lines()) {
    const first = line.replace(/^\uFEFF/, '').trim();
    if (first !== '') return !/^[[{]/.test(first);
  }
  return false;
}

function* readObservations(line: number, value: unknown, options: ImportOptions): Generator<ImportedRow> {
  if (!isJsonObject(value)) {
    yield { line, reason: 'not_an_object', detail: 'An observation must be a JSON object.' };
    return;
  }
  if (!Array.isArray(value.observations)) {
    yield toRow(line, value, options);
    return;
  }
  const trace = isJsonObject(value.trace) ? value.trace : value;
  for (const each of value.observations) {
    if (!isJsonObject(each)) continue;
    yield toRow(
      line,
      { ...each, traceId: field(each, 'traceId') ?? trace.id ?? null, ...sessionOf(trace) },
      options,
    );
  }
}

function sessionOf(trace: JsonObject): JsonObject {
  const session = field(trace, 'sessionId');
  return typeof session === 'string' ? { sessionId: session } : {};
}

function toRow(line: number, observation: JsonObject, options: ImportOptions): ImportedRow {
  const type = observation.type;
  if (type !== 'GENERATION') {
    return {
      line,
      reason: 'not_a_model_call',
      detail: `It is an observation of type ${JSON.stringify(type)}.`,
    };
  }
  const [id, trace] = [textOf(observation.id), textOf(field(observation, 'traceId'))];
  const parameters = objectOf(field(observation, 'modelParameters'));
  const input = parseIfJson(observation.input);
  const usage = { ...objectOf(observation.usage), ...objectOf(field(observation, 'usageDetails')) };
  const failed = observation.level === 'ERROR';
  return toRecordRow(
    {
      line,
      source: { format: 'langfuse', ...(typeof observation.name === 'string' && { name: observation.name }) },
      // Ids of observations that came by OpenTelemetry are unique within their trace alone.
      id: id !== null && trace !== null ? `${trace}-${id}` : id,
      timestamp: field(observation, 'startTime') ?? null,
      endTimestamp: field(observation, 'endTime'),
      conversationId: textOf(field(observation, 'sessionId')) ?? trace,
      model: textOf(field(observation, 'providedModelName') ?? observation.model),
      input,
      output: parseIfJson(observation.output),
      tools: toolsOf(input) ?? parseIfJson(field(observation, 'toolDefinitions')) ?? parameters.tools,
      parameters: pick(parameters, ['temperature', 'top_p', 'max_tokens', 'seed']),
      promptTokens: usage.input ?? usage.prompt_tokens ?? field(observation, 'promptTokens'),
      completionTokens: usage.output ?? usage.completion_tokens ?? field(observation, 'completionTokens'),
      error: failed ? (textOf(field(observation, 'statusMessage')) ?? 'Its level is ERROR.') : null,
    },
    options,
  );
}

/** The field by its name in the API, or in the files of the blob storage export. */
function field(of: JsonObject, camelCase: string): Json | undefined {
  const snakeCase = camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return of[camelCase] ?? of[snakeCase];
}

function toolsOf(input: unknown): Json | undefined {
  return isJsonObject(input) ? input.tools : undefined;
}

function pick(from: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name): [string, Json][] => (from[name] == null ? [] : [[name, from[name]]])),
  );
}
