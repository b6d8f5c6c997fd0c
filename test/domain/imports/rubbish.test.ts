import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toExample } from '../../../domain/datasets/to-example.ts';
import { InvalidInputError } from '../../../domain/errors.ts';
import type { ImportedRow } from '../../../domain/imports/importer.ts';
import { type ImportFormat, importers } from '../../../domain/imports/importers.ts';
import { readAll, source } from './support.ts';

const formats = Object.keys(importers) as ImportFormat[];

/** Keys and words of the formats, so that rubbish gets past the first check. */
const words = [
  ...[
    'id',
    'role',
    'content',
    'messages',
    'parts',
    'type',
    'text',
    'tool_calls',
    'function',
    'name',
    'arguments',
  ],
  ...[
    'choices',
    'message',
    'object',
    'created',
    'model',
    'request',
    'response',
    'timestamp',
    'tools',
    'data',
    'runs',
  ],
  ...[
    'run_type',
    'inputs',
    'outputs',
    'generations',
    'kwargs',
    'child_runs',
    'start_time',
    'extra',
    'observations',
  ],
  ...[
    'input',
    'output',
    'startTime',
    'traceId',
    'resourceSpans',
    'scopeSpans',
    'spans',
    'attributes',
    'key',
    'value',
  ],
  ...[
    'stringValue',
    'kvlistValue',
    'arrayValue',
    'values',
    'intValue',
    'events',
    'startTimeUnixNano',
    'spanId',
  ],
  ...[
    'resourceLogs',
    'scopeLogs',
    'logRecords',
    'eventName',
    'body',
    'task_id',
    'traj',
    'reward',
    'question',
  ],
  ...['ground_truth', 'parameters', 'properties', 'items', '__proto__', 'constructor', 'toString'],
];
const values = [
  ...[
    'user',
    'assistant',
    'llm',
    'GENERATION',
    'chat.completion',
    'chat',
    'gen_ai.choice',
    'gen_ai.user.message',
  ],
  ...['gen_ai.operation.name', 'gen_ai.input.messages', 'gen_ai.output.messages', 'gen_ai.prompt.0.content'],
  ...['2025-01-01', '1760000000123456789', '{"role":"user","content":"x"}', '[[]]', '\u0000', '\ud800', ''],
];

const rubbish = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: 'small' },
    fc.constantFrom(...values),
    fc.constantFrom(null, true, 0, -1, 1.5, 1e300, 1_760_000_000),
    fc.string({ maxLength: 8 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...words) }, fc.string({ maxLength: 4 })),
      tie('value'),
      {
        maxKeys: 6,
      },
    ),
  ),
})).value;

/** Rows, or null where the file as a whole was refused with a reason. */
async function read(format: ImportFormat, text: string): Promise<ImportedRow[] | null> {
  const siblings = { 'domains.json': '{"work":["a"]}', 'possible_answer.file': text };
  try {
    return await readAll(importers[format], source(text, siblings), { domain: 'work' });
  } catch (error) {
    if (error instanceof InvalidInputError && error.message.length > 20) return null;
    throw error;
  }
}

function expectSound(rows: ImportedRow[] | null): void {
  for (const row of rows ?? []) {
    expect(row.line).toBeGreaterThan(0);
    if ('record' in row) toExample({ ...row.record, ingestedAt: row.record.timestamp });
    if ('reason' in row) {
      expect(row.reason).toMatch(/^[a-z][\w]*$/);
      expect(row.detail).not.toBe('');
    }
  }
}

describe.each(formats)('%s', (format) => {
  it('never throws on JSON Lines of rubbish, but sets it aside with a reason or refuses the file', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(rubbish, { maxLength: 4 }), async (list) => {
        expectSound(await read(format, list.map((value) => JSON.stringify(value)).join('\n')));
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  it('nor on a file that is one value of rubbish, whole or cut', async () => {
    await fc.assert(
      fc.asyncProperty(rubbish, fc.nat(400), async (value, length) => {
        const text = JSON.stringify([value], null, 1);
        expectSound(await read(format, text));
        expectSound(await read(format, text.slice(0, length)));
      }),
      { numRuns: 80, seed: 8 },
    );
  });

  it('nor on any text, nor on nesting that would exhaust the stack', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 80 }), async (text) => {
        expectSound(await read(format, text));
      }),
      { numRuns: 80, seed: 9 },
    );
    for (const [open, close] of [
      ['[', ']'],
      ['{"messages":', '}'],
      ['{"kvlistValue":{"values":[{"key":"a","value":', '}]}}'],
    ] as const) {
      const nest = (levels: number): string => `${open.repeat(levels)}1${close.repeat(levels)}`;
      expectSound(await read(format, nest(5000)));
      expectSound(
        await read(
          format,
          `{"run_type":"llm","type":"GENERATION","inputs":${nest(5000)},"input":${nest(5000)}}`,
        ),
      );
      expectSound(
        await read(
          format,
          `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"a","value":${nest(5000)}}]}]}]}]}`,
        ),
      );
    }
  });
});
