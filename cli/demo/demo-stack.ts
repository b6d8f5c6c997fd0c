import type { CommandContext } from '../command.ts';
import { startDetached } from '../dev/detached.ts';
import { endStack } from '../dev/end-stack.ts';
import { findRunningStack } from '../dev/home-claim.ts';
import { type Stack, startStack } from '../dev/stack.ts';

/** The demo's stack: in this process, or, to be kept, in one that outlives it. A kept one is used again. */
export async function startDemoStack({ config, out, signal }: CommandContext, keep: boolean): Promise<Stack> {
  const settings = config();
  const log = (line: string) => out.note(`  ${line}`);
  const stopDetached = async () => void (await endStack(settings.home, log));
  const running = findRunningStack(settings.home);
  if (running?.ready && running.portOffset === settings.portOffset) {
    log(`Using the stack that an earlier \`demo --keep\` left running (process ${running.supervisor.pid}).`);
    return { stop: () => stopDetached() };
  }
  if (!keep) return startStack({ config: settings, log, signal });
  await startDetached(settings, log, signal);
  return { stop: () => stopDetached() };
}
