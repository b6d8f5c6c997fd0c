import { InvalidInputError } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { BfclAnswer, BfclQuestion } from './bfcl.schema.ts';
import { type GoldRow, goldRecord, toolName } from './gold.ts';
import { importValues } from './import-values.ts';
import type { ImportedRow, Importer, ImportOptions, ImportSource } from './importer.ts';

/**
 * Berkeley Function-Calling Leaderboard v4, single-turn categories: questions, the functions they offer, and
 * the accepted calls (`gorilla/berkeley-function-call-leaderboard`, `bfcl_eval/data`). The first accepted value
 * of each argument is the answer; `""` among them means that it may be left out, and as the first that it is.
 * All accepted values are kept in the record's `dataset.accepted`. Categories named `irrelevance` have no
 * answers: no function fits, which a fixed sentence says.
 */
export const bfcl: Importer = {
  description: 'BFCL BFCL_v4_*.json with its possible_answer file beside it; files of irrelevance need none',
  example: 'BFCL_v4_live_simple.json --format bfcl --workload calls --client c1',

  async *read(source, options) {
    const answers = await readAnswers(source);
    yield* importValues(source, (line, value) => [toRow(line, value, answers, options)]);
  },
};

type Answers = ReadonlyMap<string, BfclAnswer['ground_truth']>;

async function readAnswers(source: ImportSource): Promise<Answers | null> {
  if (source.name.includes('irrelevance')) return null;
  const text =
    (await source.sibling(`possible_answer/${source.name}`)) ??
    (await source.sibling(`possible_answer.${source.name}`));
  if (text === null) {
    throw new InvalidInputError(
      `The answers to ${source.name} were not found. Put them beside it, as possible_answer/${source.name} ` +
        `or possible_answer.${source.name}.`,
    );
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return new Map(lines.flatMap(readAnswer).map(({ id, ground_truth }) => [id, ground_truth]));
}

/** A line that cannot be read answers nothing; its question is then set aside as `no_answer`. */
function readAnswer(line: string): BfclAnswer[] {
  try {
    const parsed = BfclAnswer.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}

function toRow(line: number, value: unknown, answers: Answers | null, options: ImportOptions): ImportedRow {
  const parsed = BfclQuestion.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { line, reason: 'not_a_question', detail: `${issue?.path.join('.')}: ${issue?.message}` };
  }
  const { id, question } = parsed.data;
  const [messages, ...later] = question;
  if (messages === undefined || later.length > 0) {
    return { line, reason: 'several_turns', detail: `${id} has ${question.length} turns; one is supported.` };
  }
  const accepted = answers?.get(id) ?? [];
  if (answers !== null && accepted.length === 0) {
    return { line, reason: 'no_answer', detail: `There is no accepted answer to ${id}.` };
  }
  const tools = parsed.data.function.map(toTool);
  if (tools.length === 0)
    return { line, reason: 'no_tools', detail: `${id} offers no function to abstain from.` };
  const names = parsed.data.function.map(({ name }) => toolName(name));
  if (new Set(names).size < names.length) {
    return { line, reason: 'ambiguous_tools', detail: `${id} offers two functions of one name.` };
  }
  const dataset = { name: 'bfcl', file: category(id), id, ...(answers !== null && { accepted }) };
  return goldRecord({ line, messages, tools, calls: accepted.flatMap(toCalls), dataset }, options);
}

/** `live_simple_0-0-0` → `live_simple`. */
function category(id: string): string {
  return id.replace(/_\d+(-\d+)*$/, '');
}

function toTool({ name, description, parameters }: BfclQuestion['function'][number]): JsonObject {
  return {
    type: 'function',
    function: {
      name: toolName(name),
      ...(description !== undefined && { description }),
      parameters: toJsonSchema(parameters ?? { type: 'object', properties: {} }),
    },
  };
}

/** Python's and Java's names of types, as JSON Schema has them; `any` is what a schema without a type means. */
const jsonTypes: Readonly<Record<string, string | null>> = {
  dict: 'object',
  HashMap: 'object',
  float: 'number',
  double: 'number',
  long: 'integer',
  tuple: 'array',
  ArrayList: 'array',
  Array: 'array',
  String: 'string',
  Boolean: 'boolean',
  any: null,
};

function toJsonSchema(schema: JsonObject): JsonObject {
  const { type, properties, items, ...rest } = schema;
  const known = typeof type === 'string' && Object.hasOwn(jsonTypes, type) ? jsonTypes[type] : type;
  return {
    ...(known != null && { type: known }),
    ...rest,
    ...(isJsonObject(properties) && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, inner]) => [
          name,
          isJsonObject(inner) ? toJsonSchema(inner) : inner,
        ]),
      ),
    }),
    ...(isJsonObject(items) && { items: toJsonSchema(items) }),
  };
}

function toCalls(call: BfclAnswer['ground_truth'][number]): GoldRow['calls'][number][] {
  return Object.entries(call).map(([name, accepted]) => ({
    name: toolName(name),
    arguments: firstAccepted(accepted),
  }));
}

function firstAccepted(accepted: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(accepted).flatMap(([argument, values]) => {
      // Some lists of accepted values are empty where an empty list is the value.
      const first = Array.isArray(values) ? (values[0] ?? []) : values;
      return first === '' ? [] : [[argument, bare(first)]];
    }),
  );
}

/** Within an accepted value, an object has lists of accepted values again. */
function bare(value: Json): Json {
  if (Array.isArray(value)) return value.map(bare);
  return isJsonObject(value) ? firstAccepted(value) : value;
}
