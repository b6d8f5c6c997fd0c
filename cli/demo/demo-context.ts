import { join, relative } from 'node:path';
import { type Config, loadConfig } from '../../config/config.ts';
import { keepToOwnServers, namedServers } from '../../config/own-servers.ts';
import type { CommandContext } from '../command.ts';
import { hintFor } from '../hint.ts';

/** The nearest offset at which no port of the default stack is met (Temporal's UI is 1000 above Temporal). */
const demoPortOffset = 100;

/**
 * The demo's own home, ports and servers, so that it can run beside `flywheel dev` and synthetic traffic never
 * mixes with real, whatever servers the environment names. Its configuration is read anew on each use.
 */
export function demoContext(parent: CommandContext): CommandContext {
  const { home: parentHome, portOffset: parentOffset } = parent.config();
  const home = join(parentHome, 'demo');
  const portOffset = parentOffset + demoPortOffset;
  keepToOwnServers(home);
  tellWhatIsNotUsed(parent);
  const near = relative(process.cwd(), home);
  const shown = near.startsWith('..') ? home : near;
  return {
    ...parent,
    config: (): Config => loadConfig({ home, portOffset }),
    hint: (command) => hintFor({ home: shown, portOffset }, command),
  };
}

function tellWhatIsNotUsed({ out }: CommandContext): void {
  const named = namedServers(process.env);
  if (named.length === 0) return;
  out.note(`The demo starts servers of its own; it does not use ${named.join(', ')}.`);
}
