import { FlywheelError } from '../domain/errors.ts';

/** What a process ends with when it cannot use its configuration: starting it again is pointless. */
const configExitCode = 2;

/** The exit code for what ended a process: 2 for a configuration that cannot be used, else 1. */
export function exitCodeOf(error: unknown): number {
  return error instanceof ConfigError ? configExitCode : 1;
}

/** Settings or files that cannot be used: every problem at once, one line each. */
export class ConfigError extends FlywheelError {
  override readonly name = 'ConfigError';
  readonly retryable = false;
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
    super(`The configuration has ${count}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}
