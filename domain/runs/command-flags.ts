import { shellWord } from '../shell-word.ts';

/** The flags that commands to paste need to reach one stack, each a text to append; empty where none is needed. */
export interface CommandFlags {
  /** For `npx flywheel …`. */
  readonly flywheel: string;
  /** For Temporal's own `temporal …`. */
  readonly temporal: string;
}

/** For a stack with default home, ports, address and namespace. */
export const noFlags: CommandFlags = { flywheel: '', temporal: '' };

export function flywheelFlags(stack: { readonly home?: string; readonly portOffset?: number }): string {
  return flags({ home: stack.home, 'port-offset': stack.portOffset?.toString() });
}

export function temporalFlags(server: { readonly address?: string; readonly namespace?: string }): string {
  return flags({ address: server.address, namespace: server.namespace });
}

function flags(values: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(values)
    .map(([name, value]) => (value === undefined ? '' : ` --${name} ${shellWord(value)}`))
    .join('');
}
