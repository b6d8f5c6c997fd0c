import { type Command, Option } from 'commander';
import { type FeedbackKind, feedbackKinds } from '../../domain/feedback/feedback.ts';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type FeedbackWords, readFeedback } from '../feedback/feedback-words.ts';
import { importFeedback } from '../feedback/import-feedback.ts';
import { openFileSource } from '../imports/file-source.ts';
import { parseWhole } from '../options.ts';
import { feedbackTable } from '../render/feedback.ts';
import { count, tally, total } from '../render/format.ts';
import { withLineage } from '../services.ts';

export function registerFeedback(program: Command, cli: Cli): void {
  const feedback = program
    .command('feedback')
    .description('Say how answers were, or what came of them: add, import and list feedback')
    .addHelpText(
      'after',
      examples([
        'flywheel feedback add --record rec_1f3a --thumbs down --comment "wrong city" --author anna',
        'flywheel feedback add --conversation c-42 --workload support --outcome resolved=true',
        'flywheel feedback import outcomes.jsonl --workload support --client crm',
        'flywheel feedback list support --kind correction',
      ]),
    );
  registerAdd(feedback, cli);
  registerImport(feedback, cli);
  registerList(feedback, cli);
}

function registerAdd(feedback: Command, cli: Cli): void {
  feedback
    .command('add')
    .description('Add one piece of feedback; the same again is stored once')
    .option('--record <id>', 'the record that it is about')
    .option('--conversation <id>', 'the conversation that it is about, as a whole')
    .option('--workload <id>', 'the workload of the record or conversation')
    .option('--client <id>', 'the client that sends it')
    .addOption(new Option('--thumbs <up|down>').choices(['up', 'down']))
    .option('--score <n>', 'from 0 to 1')
    .option(
      '--correction <text>',
      'the answer as it should have been; @FILE: text, or an assistant message as JSON',
    )
    .option(
      '--demonstration <file>',
      'how a person did it: a JSON list of messages that ends in the assistant’s',
    )
    .option('--outcome <name=value>', 'what came of it, such as resolved=true')
    .option('--signal <name=value>', 'what a user did without meaning to judge, such as copied=true')
    .option('--comment <text>', 'words; alone, or with any of the above')
    .option('--author <name>', 'who says it (default: your user name)')
    .option('--key <key>', 'stored once under this key (default: by what it says)')
    .addHelpText(
      'after',
      examples([
        'flywheel feedback add --record rec_1f3a --correction "It ships on Monday."',
        'flywheel feedback add --record rec_1f3a --score 0.8 --author anna --key review-17',
      ]),
    )
    .action(cli.run(add));
}

async function add({ config, out }: CommandContext, words: FeedbackWords): Promise<ExitCode> {
  const piece = await readFeedback(words);
  const { migrateDatabases } = await import('../../wiring/migrate-databases.ts');
  await migrateDatabases(config());
  const [status = 'stored'] = await withLineage(config(), (lineage) => lineage.feedback.add([piece]));
  if (status === 'conflict')
    throw new CommandError(`The key "${words.key}" was used before, for something else.`, {
      code: 'conflict',
      next: 'Give it another --key, or none.',
    });
  out.json({ id: piece.id, status });
  out.line(status === 'stored' ? `Stored as ${piece.id}.` : `It was there already, as ${piece.id}.`);
  return exitCodes.ok;
}

function registerImport(feedback: Command, cli: Cli): void {
  feedback
    .command('import')
    .argument('<file>', 'JSON Lines, each as POST /v1/feedback takes it (docs/sdk.md)')
    .description('Import feedback; twice is once')
    .option('--workload <id>', 'workload of feedback that does not name its own')
    .option('--client <id>', 'client of feedback that does not name its own')
    .option('--author <name>', 'author of feedback that does not name its own')
    .addHelpText(
      'after',
      examples(['flywheel feedback import outcomes.jsonl --workload support --client crm']),
    )
    .action(cli.run(runImport));
}

async function runImport(
  { config, out, signal }: CommandContext,
  file: string,
  options: { workload?: string; client?: string; author?: string },
): Promise<ExitCode> {
  const { source } = await openFileSource(file);
  const { migrateDatabases } = await import('../../wiring/migrate-databases.ts');
  await migrateDatabases(config());
  const { counts, firstRejected } = await withLineage(config(), ({ feedback }) =>
    importFeedback({
      ...{ source, feedback, signal },
      defaults: {
        ...(options.workload !== undefined && { workloadId: options.workload }),
        ...(options.client !== undefined && { clientId: options.client }),
        ...(options.author !== undefined && { author: options.author }),
      },
    }),
  );
  const { read, stored, duplicates, rejected } = counts;
  if (signal.aborted)
    throw new CommandError(`Interrupted after ${count(read)} lines; ${count(stored)} are stored.`, {
      code: 'interrupted',
      exitCode: exitCodes.interrupted,
      next: 'Import the file again: what is stored already stays as it is.',
    });
  out.json(counts);
  for (const { line, reason, detail } of firstRejected) out.note(`line ${line}: ${reason}: ${detail}`);
  const why = total(rejected) > 0 ? ` (${tally(rejected)})` : '';
  out.line(
    `${count(read)} read, ${count(stored)} stored, ${count(duplicates)} duplicates, ${count(total(rejected))} rejected${why}`,
  );
  return stored + duplicates === 0 && read > 0 ? exitCodes.failed : exitCodes.ok;
}

interface ListOptions {
  readonly record?: string;
  readonly conversation?: string;
  readonly kind?: FeedbackKind;
  readonly limit: number;
}

function registerList(feedback: Command, cli: Cli): void {
  feedback
    .command('list')
    .argument('[workload]', 'only feedback of this workload')
    .description('List feedback, newest first')
    .option('--record <id>', 'on this record')
    .option('--conversation <id>', 'on this conversation')
    .addOption(new Option('--kind <kind>', 'of this kind').choices(feedbackKinds))
    .option('--limit <n>', 'at most so many', parseWhole(1), 20)
    .addHelpText('after', examples(['flywheel feedback list support --limit 50 --json']))
    .action(
      cli.run(async ({ config, out }, workload: string | undefined, options: ListOptions) => {
        const { record, conversation, kind, limit } = options;
        const pieces = await withLineage(config(), (lineage) =>
          lineage.feedback.list({
            ...(record !== undefined && { recordIds: [record] }),
            ...(conversation !== undefined && { conversationIds: [conversation] }),
            ...(workload !== undefined && { workloadId: workload }),
            ...(kind !== undefined && { kind }),
            limit,
          }),
        );
        out.json(pieces);
        out.line(pieces.length === 0 ? 'There is no such feedback.' : feedbackTable(pieces));
        return exitCodes.ok;
      }),
    );
}
