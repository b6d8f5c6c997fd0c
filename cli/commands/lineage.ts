import type { Command } from 'commander';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseId } from '../options.ts';
import { recordTraceText } from '../render/record-trace.ts';
import { traceText } from '../render/trace.ts';
import { requireWorkload } from '../require-workload.ts';
import { withLineage } from '../services.ts';

export function registerLineage(program: Command, cli: Cli): void {
  program
    .command('lineage')
    .argument('[workload]', 'a workload id', parseId)
    .option('--record <id>', 'the other way: what this record touched')
    .description(
      'Walk from a workload’s route back to its model’s records, or from a record to all it touched',
    )
    .addHelpText(
      'after',
      examples([
        'flywheel lineage hr',
        'flywheel lineage hr --json | jq .records.train',
        'flywheel lineage --record rec-7f3a',
      ]),
    )
    .action(
      cli.run((context, workload: string | undefined, { record }: { record?: string }) => {
        if (workload !== undefined && record === undefined) return fromRoute(context, workload);
        if (workload === undefined && record !== undefined) return fromRecord(context, record);
        throw new CommandError('Name a workload, or a record by --record; one of the two.', {
          code: 'usage',
          exitCode: exitCodes.usage,
          next: '`npx flywheel lineage --help` has examples.',
        });
      }),
    );
}

async function fromRoute({ config, out }: CommandContext, workload: string): Promise<ExitCode> {
  const trace = await withLineage(config(), (lineage) => lineage.routes.trace(workload));
  if (trace.route === null) await requireWorkload(config(), workload);
  out.json(trace);
  out.line(traceText(trace, out.style));
  return exitCodes.ok;
}

async function fromRecord({ config, out }: CommandContext, recordId: string): Promise<ExitCode> {
  const { trace, feedback } = await withLineage(config(), async (lineage) => ({
    trace: await lineage.records.trace(recordId),
    feedback: await lineage.feedback.list({ recordIds: [recordId] }),
  }));
  out.json({ ...trace, feedback });
  out.line(recordTraceText(trace, feedback, out.style));
  return exitCodes.ok;
}
