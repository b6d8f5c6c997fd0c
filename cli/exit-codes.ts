/** What a command's exit status means; `flywheel --help` prints the same table. */
export const exitCodes = {
  ok: 0,
  /** The operation was refused or failed; a run failed or was cancelled. */
  failed: 1,
  /** Unknown command or option, or a value or setting that cannot be used. */
  usage: 2,
  /** A service that the command needs does not answer. */
  unavailable: 3,
  /** A run ended properly, and its verdict is not `promote`. */
  notPromoted: 4,
  /** Ctrl-C, as shells report it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeHelp = `
Exit codes:
  0    done
  1    failed or refused (a run that failed or was cancelled, too)
  2    wrong usage: unknown command or option; a value, setting or configuration file that cannot be used
  3    a service does not answer; \`flywheel doctor\` tells which
  4    the run ended without a \`promote\` verdict
  130  interrupted`;
