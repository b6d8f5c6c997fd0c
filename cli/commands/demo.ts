import type { Command } from 'commander';
import { type Cli, examples } from '../command.ts';
import { CommandError } from '../command-error.ts';
import type { DemoOptions } from '../demo/demo.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseWhole } from '../options.ts';

/** With fewer the demo's small model does not reach the threshold; each hundred more cost some 15 s of training. */
const defaultRecords = 1500;

export function registerDemo(program: Command, cli: Cli): void {
  program
    .command('demo')
    .description('One whole turn of the flywheel on synthetic traffic: train, evaluate, approve, serve')
    .option('--approve', 'approve the verdict without asking')
    .option('--reject', 'reject it without asking')
    .option('--records <n>', 'synthetic calls to log', parseWhole(60), defaultRecords)
    .option('--seed <n>', 'seed of the traffic and of the run', parseWhole(0), 1)
    .option('--keep', 'leave the stack running at the end')
    .addHelpText(
      'after',
      `
The demo lives in a home of its own, <home>/demo, with every port moved by 100, so that
it can run beside \`flywheel dev\` and its traffic never mixes with yours. It starts every
server itself, whatever DATABASE_URL, TEMPORAL_ADDRESS and the like name. State is kept:
a second demo goes on where the first one ended.
${examples(['flywheel demo', 'flywheel demo --approve', 'flywheel demo --keep'])}`,
    )
    .action(
      cli.run(async (context, options: DemoOptions) => {
        if (options.approve && options.reject)
          throw new CommandError('--approve and --reject exclude each other.', {
            code: 'usage',
            exitCode: exitCodes.usage,
            next: 'Give one of them, or none to be asked.',
          });
        const { runDemo } = await import('../demo/demo.ts');
        return runDemo(context, options);
      }),
    );
}
