import { type Command, Option } from 'commander';
import type { Config } from '../../config/config.ts';
import { UnavailableError } from '../../domain/errors.ts';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { CommandError } from '../command-error.ts';
import type { StackRecord } from '../dev/home-claim.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

export function registerDev(program: Command, cli: Cli): void {
  program
    .command('dev')
    .description('Run the whole stack: Temporal, PostgreSQL, the model server, the workers and the gateway.')
    .option('--detach', 'return once everything answers and leave it running; `flywheel stop` ends it')
    .addOption(
      new Option('--platform <name>', 'run a platform beside the rest, as a provider (docs/nemo.md)').choices(
        ['nemo'],
      ),
    )
    .addHelpText(
      'after',
      examples([
        'flywheel dev',
        'flywheel dev --detach',
        'flywheel dev --platform nemo',
        'FLYWHEEL_HOME=/tmp/second flywheel dev --port-offset 200',
      ]),
    )
    .action(
      cli.run(async (context, options: DevOptions) => {
        // The configuration reads it, here and in each process that the stack starts.
        if (options.platform) process.env['FLYWHEEL_PLATFORM'] = options.platform;
        try {
          return await (options.detach ? detach(context) : foreground(context));
        } catch (error) {
          throw error instanceof UnavailableError ? notStarted(error) : error;
        }
      }),
    );
}

interface DevOptions {
  readonly detach?: boolean;
  readonly platform?: string;
}

/** The usual advice, to start the stack, is what has just been tried. */
function notStarted({ message, cause }: UnavailableError): CommandError {
  return new CommandError(message, {
    code: 'unavailable',
    exitCode: exitCodes.unavailable,
    next: (hint) => `See what is there and what is not by \`${hint('doctor')}\`.`,
    cause,
  });
}

async function foreground(context: CommandContext): Promise<ExitCode> {
  const { startStack } = await import('../dev/stack.ts');
  const { config, log } = await prepared(context);
  const stack = await startStack({ config, log, signal: context.signal });
  await tellReady(context, null);
  await aborted(context.signal);
  log('Stopping…');
  await stack.stop();
  log('Stopped. State is kept; the next start goes on from it.');
  return exitCodes.ok;
}

async function detach(context: CommandContext): Promise<ExitCode> {
  const { startDetached } = await import('../dev/detached.ts');
  const { findRunningStack } = await import('../dev/home-claim.ts');
  const { config, log } = await prepared(context);
  const running = findRunningStack(config.home);
  if (running?.ready && running.portOffset === config.portOffset) {
    await requirePlatform(config, running);
    log(`It runs already (process ${running.supervisor.pid}).`);
    await tellReady(context, running.supervisor.pid);
    return exitCodes.ok;
  }
  await tellReady(context, await startDetached(config, log, context.signal));
  return exitCodes.ok;
}

/** A stack that runs without the platform gets none by being asked for it. */
async function requirePlatform({ nemoPlatform }: Config, running: StackRecord): Promise<void> {
  if (!nemoPlatform) return;
  const { nemoPlatformService } = await import('../dev/embedded-services.ts');
  const { services, supervisor } = running;
  if (services[nemoPlatformService]) return;
  throw new CommandError(`It runs without NeMo Platform (process ${supervisor.pid}).`, {
    code: 'conflict',
    next: (hint) =>
      `Stop it by \`${hint('stop')}\`, then start it by \`${hint('dev --detach --platform nemo')}\`; its state is kept.`,
  });
}

async function prepared(context: CommandContext) {
  const { out } = context;
  return { config: context.config(), log: (line: string) => out.note(line) };
}

async function tellReady(context: CommandContext, detachedPid: number | null): Promise<void> {
  const { out, config, json } = context;
  const { addressesOf, addressLines } = await import('../dev/addresses.ts');
  const addresses = addressesOf(config());
  if (json) {
    out.json({ ready: true, pid: detachedPid ?? process.pid, home: config().home, addresses });
    return;
  }
  out.line('');
  out.line(`Flywheel is ready. State and logs: ${config().home}`);
  for (const line of addressLines(addresses)) out.line(line);
  out.line(
    detachedPid === null ? 'Ctrl-C stops everything.' : `\`${context.hint('stop')}\` stops everything.`,
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    // A pending promise alone would not keep the process; the services' pipes do.
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
