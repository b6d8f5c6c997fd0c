import type { Config } from '../../config/config.ts';
import { jsonl } from '../../domain/imports/jsonl.ts';
import type { JsonObject } from '../../domain/json.ts';
import { askedQuestions } from '../../samples/help-desk/demo-questions.ts';
import { generateHelpDesk, helpDeskWorkload } from '../../samples/help-desk/generate.ts';
import { openRedaction, redacting } from '../../wiring/open-redaction.ts';
import type { CommandContext } from '../command.ts';
import { importRecords } from '../imports/import-records.ts';
import { count } from '../render/format.ts';
import { withLineage, withLogStore } from '../services.ts';

/** Logs the sample traffic by the importer's way; again is once. Returns the questions that were asked. */
export async function logTraffic(
  { out, signal }: CommandContext,
  config: Config,
  options: { readonly seed: number; readonly records: number },
): Promise<ReadonlySet<string>> {
  const rows = generateHelpDesk(options);
  out.line(
    `${count(rows.length)} calls of a fictional company's help desk, answered by a production model that does not exist.`,
  );
  out.line(
    out.style.yellow(
      'They are synthetic: a program made them. What they show is that it works, not how well.',
    ),
  );
  const { counts } = await withLineage(config, ({ feedback }) =>
    withLogStore(config, (logStore) =>
      importRecords({
        source: sourceOf(rows),
        importer: jsonl,
        workloadId: helpDeskWorkload,
        clientId: 'demo',
        logStore: redacting(logStore, openRedaction(config)),
        feedback,
        signal,
        onProgress: () => undefined,
      }),
    ),
  );
  signal.throwIfAborted();
  out.line(`${count(counts.stored)} stored, ${count(counts.duplicates)} were there from an earlier demo.`);
  return askedQuestions(rows);
}

function sourceOf(rows: readonly JsonObject[]) {
  return {
    name: 'help-desk',
    async *lines() {
      for (const row of rows) yield JSON.stringify(row);
    },
    text: async () => rows.map((row) => JSON.stringify(row)).join('\n'),
    sibling: async () => null,
  };
}
