import { type Command, Option } from 'commander';
import { type ImportFormat, importers } from '../../domain/imports/importers.ts';
import { openRedaction, redacting } from '../../wiring/open-redaction.ts';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { openFileSource } from '../imports/file-source.ts';
import { createImportProgress } from '../imports/import-progress.ts';
import { importRecords } from '../imports/import-records.ts';
import { createRejectsFile } from '../imports/rejects-file.ts';
import { parseId } from '../options.ts';
import { count, tally, total } from '../render/format.ts';
import { withLineage, withLogStore } from '../services.ts';

interface ImportCommandOptions {
  readonly format: ImportFormat;
  readonly workload: string;
  readonly client: string;
  readonly domain?: string;
}

export function registerImport(program: Command, cli: Cli): void {
  program
    .command('import')
    .argument('<file>')
    .description('Import logged calls or labelled questions as records; twice is once')
    .addOption(
      new Option('--format <format>', 'how the file is written')
        .choices(Object.keys(importers))
        .makeOptionMandatory(),
    )
    .requiredOption('--workload <id>', 'workload of records that do not name their own', parseId)
    .requiredOption('--client <id>', 'client of records that do not name their own', parseId)
    .option('--domain <name>', 'clinc150 only: the domain whose intents are the tools')
    .addHelpText(
      'after',
      `\nFormats (docs/imports.md says what becomes of each):\n${Object.entries(importers)
        .map(([name, { description }]) => `  ${name.padEnd(15)}${description}`)
        .join('\n')}\n${examples(
        Object.values(importers).map(({ example }) => `flywheel import ${example}`),
      )}`,
    )
    .action(cli.run(importCommand));
}

async function importCommand(
  context: CommandContext,
  file: string,
  options: ImportCommandOptions,
): Promise<ExitCode> {
  const config = context.config();
  const opened = await openFileSource(file);
  const { migrateDatabases } = await import('../../wiring/migrate-databases.ts');
  await migrateDatabases(config);
  const progress = createImportProgress(context.out);
  const rejects = createRejectsFile({ home: config.home, file, now: new Date() });
  const importing = withLineage(config, ({ feedback }) =>
    withLogStore(config, (logStore) =>
      importRecords({
        ...opened,
        importer: importers[options.format],
        workloadId: options.workload,
        clientId: options.client,
        ...(options.domain !== undefined && { domain: options.domain }),
        logStore: redacting(logStore, openRedaction(config)),
        feedback,
        signal: context.signal,
        onProgress: progress.update,
        onRejected: rejects.add,
      }),
    ),
  );
  let result: Awaited<typeof importing>;
  try {
    result = await importing;
  } finally {
    progress.done();
    await rejects.close();
  }
  const { read, stored, duplicates, rejected, feedback } = result.counts;
  if (context.signal.aborted)
    throw new CommandError(`Interrupted after ${count(read)} rows; ${count(stored)} are stored.`, {
      code: 'interrupted',
      exitCode: exitCodes.interrupted,
      next: 'Import the file again: what is stored already stays as it is.',
    });
  context.out.json({ ...result.counts, ...(rejects.path !== null && { rejectsFile: rejects.path }) });
  for (const { line, reason, detail } of result.firstRejected)
    context.out.note(`line ${line}: ${reason}: ${detail}`);
  context.out.line(
    `${count(read)} read, ${count(stored)} stored, ${count(duplicates)} duplicates, ${count(total(rejected))} rejected${
      total(rejected) > 0 ? ` (${tally(rejected)})` : ''
    }`,
  );
  if (feedback)
    context.out.line(
      `${count(feedback.stored)} pieces of feedback stored, ${count(feedback.duplicates)} duplicates`,
    );
  if (rejects.path !== null) context.out.line(`Each rejected row, by line and reason: ${rejects.path}`);
  for (const workload of result.workloads.slice(0, 3))
    context.out.line(`Next: ${context.hint(`run ${workload} --wait`)}`);
  return stored + duplicates === 0 && read > 0 ? exitCodes.failed : exitCodes.ok;
}
