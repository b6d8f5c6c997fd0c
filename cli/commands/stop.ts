import type { Command } from 'commander';
import { type Cli, examples } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';

export function registerStop(program: Command, cli: Cli): void {
  program
    .command('stop')
    .description('Stop the stack of this home, started by `flywheel dev`, in order. State is kept.')
    .addHelpText('after', examples(['flywheel stop', 'FLYWHEEL_HOME=/tmp/second flywheel stop']))
    .action(
      cli.run(async ({ config, out }) => {
        const { endStack } = await import('../dev/end-stack.ts');
        const { home } = config();
        const pid = await endStack(home, (line) => out.note(line));
        out.json({ stopped: pid !== null, pid, home });
        out.line(
          pid === null ? `Nothing runs for ${home}.` : `Stopped (process ${pid}). State is kept in ${home}.`,
        );
        return exitCodes.ok;
      }),
    );
}
