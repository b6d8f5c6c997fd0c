import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { type CommandError, toCommandError } from './command-error.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type Hint, hintFor } from './hint.ts';
import { listenForInterruption } from './interruption.ts';
import { createOutput, type Output, type OutputStreams } from './output.ts';

/** What every command gets. */
export interface CommandContext {
  /** Read once, from `--home`, `--port-offset` and the environment. */
  config(): Config;
  readonly out: Output;
  /** Aborted by Ctrl-C or SIGTERM. Another one, a second later or more, ends the process at once. */
  readonly signal: AbortSignal;
  readonly json: boolean;
  /** A command line to type next, for the same stack: it carries this one's `--home` and `--port-offset`. */
  readonly hint: Hint;
}

export type Handler<Args extends unknown[]> = (context: CommandContext, ...args: Args) => Promise<ExitCode>;

/** Given to each command module: wraps its handler with context, error text and exit code. */
export interface Cli {
  run<Args extends unknown[]>(handler: Handler<Args>): (...args: unknown[]) => Promise<void>;
}

export interface GlobalOptions {
  home?: string;
  portOffset?: number;
  json?: boolean;
  color?: boolean;
}

export interface CliEnvironment {
  readonly env: NodeJS.ProcessEnv;
  readonly streams: OutputStreams;
  /** Called once with the command's exit code. */
  readonly exit: (code: ExitCode) => void;
  readonly loadConfig: (globals: GlobalOptions) => Config;
}

export function createCli(environment: CliEnvironment): Cli {
  return {
    run: (handler) =>
      async function action(this: unknown, ...args: unknown[]) {
        const command = args.at(-1) as Command;
        const globals = command.optsWithGlobals<GlobalOptions>();
        const interruption = listenForInterruption();
        const context = createContext(globals, environment, interruption.signal);
        try {
          environment.exit(await handler(context, ...(args.slice(0, -1) as never)));
        } catch (error) {
          environment.exit(report(context, error, environment));
        } finally {
          interruption.forget();
        }
      },
  };
}

function createContext(
  globals: GlobalOptions,
  environment: CliEnvironment,
  signal: AbortSignal,
): CommandContext {
  const json = globals.json === true;
  let config: Config | undefined;
  return {
    config: () => {
      config ??= environment.loadConfig(globals);
      return config;
    },
    out: createOutput({
      json,
      color: globals.color !== false,
      env: environment.env,
      streams: environment.streams,
    }),
    signal,
    json,
    hint: (command) => hintFor(globals, command),
  };
}

function report(context: CommandContext, error: unknown, environment: CliEnvironment): ExitCode {
  if (context.signal.aborted && !(error instanceof Error && error.name === 'CommandError')) {
    context.out.note('Interrupted.');
    return exitCodes.interrupted;
  }
  const failure = toCommandError(error);
  printError(failure, { out: context.out, hint: context.hint, env: environment.env });
  return failure.exitCode;
}

export function printError(
  failure: CommandError,
  { out, hint, env }: { readonly out: Output; readonly hint: Hint; readonly env: NodeJS.ProcessEnv },
): void {
  const next = failure.nextStep(hint);
  if (out.asJson) out.json({ error: { code: failure.code, message: failure.message, next } });
  else out.note(next === null ? `error: ${failure.message}` : `error: ${failure.message}\n  next: ${next}`);
  if (env['FLYWHEEL_DEBUG'] === '1') console.error(failure.cause ?? failure);
}

/** The examples at the end of a command's `--help`. */
export function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ npx ${line}`).join('\n')}`;
}
