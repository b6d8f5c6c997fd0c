import { flywheelFlags } from '../domain/runs/command-flags.ts';

/** Makes a line to paste of a command: for the same stack as the one that prints it. */
export type Hint = (command: string) => string;

/** With what was typed to name the stack; what the environment says, the next command reads there too. */
export function hintFor(
  stack: { readonly home?: string; readonly portOffset?: number },
  command: string,
): string {
  return `npx flywheel ${command}${flywheelFlags(stack)}`;
}
