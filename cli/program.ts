import { Command } from 'commander';
import { type Cli, examples } from './command.ts';
import { registerCancel } from './commands/cancel.ts';
import { registerCandidates } from './commands/candidates.ts';
import { registerCleanup } from './commands/cleanup.ts';
import { registerApprove, registerReject } from './commands/decide.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDev } from './commands/dev.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerExportAdapter } from './commands/export-adapter.ts';
import { registerFeedback } from './commands/feedback.ts';
import { registerImport } from './commands/import.ts';
import { registerLineage } from './commands/lineage.ts';
import { registerPolicy } from './commands/policy.ts';
import { registerRollback } from './commands/rollback.ts';
import { registerRoute } from './commands/route.ts';
import { registerRun } from './commands/run.ts';
import { registerRuns } from './commands/runs.ts';
import { registerSchedule } from './commands/schedule.ts';
import { registerShow } from './commands/show.ts';
import { registerStop } from './commands/stop.ts';
import { registerToken } from './commands/token.ts';
import { registerWatch } from './commands/watch.ts';
import { registerWorkloads } from './commands/workloads.ts';
import { exitCodeHelp } from './exit-codes.ts';
import { parseWhole } from './options.ts';

/** In the order of a user's first day; `--help` keeps it. */
const commands = [
  ...[registerDemo, registerDev, registerStop, registerDoctor],
  ...[
    registerImport,
    registerWorkloads,
    registerRun,
    registerRuns,
    registerShow,
    registerWatch,
    registerCancel,
  ],
  ...[registerApprove, registerReject, registerRoute, registerRollback, registerLineage],
  ...[registerExportAdapter, registerToken],
  ...[registerCandidates, registerCleanup, registerPolicy, registerSchedule, registerFeedback],
];

/** The whole command line, ready to parse. */
export function createProgram(cli: Cli, version: string): Command {
  const program = new Command('flywheel')
    .description('Find, prove and approve smaller models for the calls that an application makes.')
    .version(version)
    .option('--home <dir>', 'where all state lives (FLYWHEEL_HOME; default .flywheel)')
    .option('--port-offset <n>', 'moves every port, for a second stack beside the first', parseWhole(0))
    .option('--json', 'one JSON document on stdout, errors included')
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `${examples([
        'flywheel demo',
        'flywheel dev --detach',
        'flywheel import calls.jsonl --format jsonl --workload support --client web',
        'flywheel run support --wait',
        'flywheel approve support --reason "as good as before"',
      ])}\n${exitCodeHelp}`,
    );
  for (const register of commands) register(program, cli);
  return program;
}
