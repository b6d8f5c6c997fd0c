import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';

/** Ctrl-C, at a prompt or anywhere else in the demo. */
export function interrupted(whatHappened: string, cause?: unknown): CommandError {
  return new CommandError(`Interrupted; ${whatHappened}.`, {
    code: 'interrupted',
    exitCode: exitCodes.interrupted,
    next: 'Start it again: its state is kept.',
    cause,
  });
}
