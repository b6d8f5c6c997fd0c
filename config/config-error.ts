import { FlywheelError } from '../domain/errors.ts';

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
