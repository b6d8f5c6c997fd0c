import { readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { type CliEnvironment, createCli, printError } from './command.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { hintFor } from './hint.ts';
import { createOutput } from './output.ts';
import { createProgram } from './program.ts';

/** Parses and runs one command line; the exit code goes to `environment.exit`. */
export async function runCli(args: readonly string[], environment: CliEnvironment): Promise<void> {
  const cli = createCli(environment);
  const program = createProgram(cli, readVersion());
  // Commander would end the process and print errors in its own way; help stays its own.
  quieten(program, environment);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError) && !(error instanceof CommandError)) throw error;
    if (error instanceof CommanderError && error.exitCode === 0) return environment.exit(exitCodes.ok);
    const out = createOutput({ ...environment, json: args.includes('--json'), color: false });
    printError(usageError(error), { out, hint: (command) => hintFor({}, command), env: environment.env });
    environment.exit(exitCodes.usage);
  }
}

function quieten(command: Command, environment: Pick<CliEnvironment, 'streams'>): void {
  const { streams } = environment;
  command.exitOverride().configureOutput({
    writeOut: (text) => streams.stdout.write(text),
    writeErr: () => undefined,
    outputError: () => undefined,
  });
  for (const sub of command.commands) quieten(sub, environment);
}

function usageError(error: CommanderError | CommandError): CommandError {
  if (error instanceof CommandError) return error;
  // `flywheel` alone: commander shows its help as an error.
  const message = error.code === 'commander.help' ? 'No command was given.' : error.message;
  return new CommandError(message.replace(/^error: /, '').replace(/\n/g, ' '), {
    code: 'usage',
    exitCode: exitCodes.usage,
    next: (hint) => `${hint('--help')} lists the commands; every command has --help with examples.`,
  });
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '0';
}
