import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../setup/process-identity.js';
import { endLeftovers, findRunningStack } from './home-claim.ts';

/** A stack stops in a few seconds; training that is told to end may take more. */
export const stopPatienceMs = 90_000;

/**
 * Ends the stack of a home, wherever it runs. Returns its supervisor's process id, or null when none ran.
 * Services that a killed supervisor left behind are ended as well.
 */
export async function endStack(home: string, log: (line: string) => void): Promise<number | null> {
  const running = findRunningStack(home);
  if (running === null) {
    await endLeftovers(home, log);
    return null;
  }
  const { supervisor } = running;
  process.kill(supervisor.pid, 'SIGTERM');
  for (const deadline = Date.now() + stopPatienceMs; isRunning(supervisor); await sleep(100)) {
    if (Date.now() < deadline) continue;
    log(`Process ${supervisor.pid} has not stopped within ${stopPatienceMs / 1000} s; ending it by force.`);
    process.kill(supervisor.pid, 'SIGKILL');
    await endLeftovers(home, log);
  }
  return supervisor.pid;
}
