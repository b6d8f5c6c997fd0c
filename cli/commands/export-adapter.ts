import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { AdapterFiles, AdapterListing } from '../../activities/ports/adapter-files.ts';
import type { AdapterOrigin } from '../../activities/ports/adapter-lineage.ts';
import { findAdapter } from '../adapters/find-adapter.ts';
import { gatherFacts } from '../adapters/gather-facts.ts';
import { requireRoomFor, writeWholeFolder } from '../adapters/whole-folder.ts';
import { writeAdapter } from '../adapters/write-adapter.ts';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { withLineage } from '../services.ts';

interface ExportOptions {
  readonly provider?: string;
  readonly baseName?: string;
  readonly withItems?: boolean;
  readonly force?: boolean;
}

export function registerExportAdapter(program: Command, cli: Cli): void {
  program
    .command('export-adapter')
    .argument('<model>', 'an adapter’s model id, or a workload for the adapter that serves it')
    .argument('<dir>', 'a new or empty folder')
    .description('Write an adapter as PEFT loads it, with model card, licence, evaluation and lineage')
    .option('--provider <name>', 'where several providers have an adapter of that id')
    .option('--base-name <id>', 'what others know the base model by, such as its Hugging Face id')
    .option('--with-items', 'put the answers’ texts into evaluation.jsonl, too; scores alone otherwise')
    .option('--force', 'replace a folder that is not empty')
    .addHelpText(
      'after',
      examples([
        'flywheel export-adapter support ./support-adapter',
        'flywheel export-adapter ft:nano-1m:flywheel:support:1a2b3c4d out --base-name acme/nano-1m',
        'flywheel export-adapter support out --with-items --force --json',
      ]),
    )
    .action(cli.run(exportAdapter));
}

async function exportAdapter(
  context: CommandContext,
  name: string,
  dir: string,
  options: ExportOptions,
): Promise<ExitCode> {
  const { config, out, signal } = context;
  const { provider, baseName, withItems = false, force = false } = options;
  await requireRoomFor(dir, force);
  const { openAdapterFiles } = await import('../../wiring/open-adapter-files.ts');
  return withLineage(config(), async (lineage) => {
    const origin = await findAdapter(lineage, name, provider);
    const { model } = origin;
    const files = openAdapterFiles(config())(origin.job.provider);
    const listing = await readable(files, origin);
    const card = await baseCard(files, model, listing, signal);
    const reference = baseName ?? listing.base.hubId ?? listing.base.id;
    const gathered = await gatherFacts(lineage, origin, { listing, card, reference });
    const onBytes = progress(out, listing);
    await writeWholeFolder(dir, (folder) =>
      writeAdapter(folder, { origin, listing, files, gathered, withItems, signal, onBytes }),
    );
    if (out.stderrIsTTY) out.transient('');
    const { verdict, base, evaluation } = gathered.facts;
    out.json({ model, dir: resolve(dir), base: base.reference, verdict, evaluation, files: listing.files });
    out.line(`${model} is in ${dir}: README.md says how it was made, how well it does and how to load it.`);
    if (baseName === undefined && listing.base.hubId === null)
      out.note(
        `Its base is called "${reference}" there, which only this stack knows; --base-name gives it another name.`,
      );
    if (base.licence.id === null && base.licenceFiles.length === 0)
      out.note('The licence of its base model is not known: see LICENSE there before you hand it on.');
    return exitCodes.ok;
  });
}

async function readable(
  files: AdapterFiles,
  { model, job: { provider } }: AdapterOrigin,
): Promise<AdapterListing> {
  const listing = await files.list(model);
  const names = listing?.files.map(({ name }) => name) ?? [];
  if (listing && names.includes('adapter_config.json') && names.some((name) => name.endsWith('.safetensors')))
    return listing;
  throw new CommandError(
    listing === null
      ? `Provider "${provider}" does not let the weights of ${model} be read.`
      : `Provider "${provider}" does not have ${model} as PEFT needs it; it lists ${names.join(', ') || 'no files'}.`,
    {
      code: 'not_exportable',
      next: 'Adapters of Flywheel’s own model server and of NeMo Platform can be exported. NeMo Microservices v1 has them in its Data Store (docs/nemo.md); others: see what the provider offers itself.',
    },
  );
}

/** Read for the licence that it names; it stays where it is. */
async function baseCard(
  files: AdapterFiles,
  model: string,
  { base }: AdapterListing,
  signal: AbortSignal,
): Promise<string | null> {
  if (!base.files.some(({ name }) => name === 'README.md')) return null;
  return text(files.read({ model, of: 'base', name: 'README.md', signal }));
}

function progress(out: Output, { files }: AdapterListing): (bytes: number) => void {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  return (bytes) => {
    if (out.stderrIsTTY) out.transient(`${megabytes(Math.min(bytes, total))} of ${megabytes(total)} MB`);
  };
}
