import type { z } from 'zod';
import { InvalidInputError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { parseRecord } from '../records/parse.ts';
import { Clinc150Domains, Clinc150File } from './clinc150.schema.ts';
import {
  type ImportedRow,
  type Importer,
  type ImportOptions,
  type ImportSource,
  rowTimestamp,
} from './importer.ts';

/** Short on purpose: it is part of every row, and each token costs training time. */
const systemPrompt = 'Call the tool that fits.';

/** CLINC150 has no answers for questions out of scope: this synthetic sentence stands for "no tool". */
export const noToolAnswer = 'None of the tools fits that.';

const splits = [
  'train',
  'val',
  'test',
  'oos_train',
  'oos_val',
  'oos_test',
] as const satisfies (keyof Clinc150File)[];

/**
 * CLINC150 (Larson et al. 2019): questions with a gold intent. The domain's intents are the tools that every
 * request offers, in alphabetical order; all out-of-scope questions are added as "no tool".
 */
export const clinc150: Importer = {
  description:
    'CLINC150 data_full.json with domains.json beside it; --domain picks whose intents are the tools',

  async *read(source, options) {
    const file = parseJson(await source.text(), Clinc150File, 'data_full.json of CLINC150');
    const intents = await readIntents(source, options.domain);
    const tools = intents.map((name) => ({
      type: 'function',
      function: { name, parameters: { type: 'object', properties: {} } },
    }));
    const wanted = new Set([...intents, 'oos']);
    let line = 0;
    for (const split of splits) {
      for (const [question, intent] of file[split]) {
        line += 1;
        if (wanted.has(intent)) yield toRow({ question, intent, split, line }, tools, options);
      }
    }
  },
};

async function readIntents(source: ImportSource, domain: string | undefined): Promise<string[]> {
  const text = await source.sibling('domains.json');
  if (text === null) {
    throw new InvalidInputError('domains.json was not found; it must lie beside the CLINC150 data file.');
  }
  const domains = parseJson(text, Clinc150Domains, 'domains.json of CLINC150');
  const intents = domain === undefined ? undefined : domains[domain];
  if (intents !== undefined) return [...intents].sort();
  const found = domain === undefined ? 'No domain was given' : `CLINC150 has no domain "${domain}"`;
  throw new InvalidInputError(`${found}; pass --domain with one of: ${Object.keys(domains).join(', ')}.`);
}

interface Row {
  readonly question: string;
  readonly intent: string;
  readonly split: string;
  readonly line: number;
}

function toRow(row: Row, tools: JsonObject[], options: ImportOptions): ImportedRow {
  const inScope = row.intent !== 'oos';
  const parsed = parseRecord({
    timestamp: rowTimestamp(row.line),
    workload_id: options.workloadId,
    client_id: options.clientId,
    request: {
      messages: [
        { role: 'system', content: systemPrompt },
        { role: 'user', content: row.question },
      ],
      tools,
    },
    response: {
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: inScope ? callOf(row.intent) : { role: 'assistant', content: noToolAnswer },
          finish_reason: inScope ? 'tool_calls' : 'stop',
        },
      ],
    },
    response_source: 'gold',
    dataset: { name: 'clinc150', domain: options.domain ?? null, split: row.split, intent: row.intent },
  });
  if (parsed.ok) return { line: row.line, record: parsed.record };
  return { line: row.line, reason: parsed.reason, detail: parsed.detail };
}

function callOf(name: string): JsonObject {
  const call = { id: 'call_1', type: 'function', function: { name, arguments: '{}' } };
  return { role: 'assistant', content: null, tool_calls: [call] };
}

function parseJson<T>(text: string, schema: z.ZodType<T>, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidInputError(`The file is not JSON; ${what} is needed.`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InvalidInputError(
    `The file is not ${what}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'has another shape'}.`,
  );
}
