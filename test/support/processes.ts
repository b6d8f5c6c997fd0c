import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Exit, RunningService, Service } from '../../cli/dev/service.ts';

/** A service that is a real process which does nothing, as often as it is started. */
export function idleService(): Service & { readonly pids: number[] } {
  const pids: number[] = [];
  const start = async (): Promise<RunningService> => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      detached: true,
      stdio: 'ignore',
    });
    const exited = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const pid = child.pid ?? -1;
    pids.push(pid);
    const stop = async () => {
      child.kill('SIGKILL');
      await exited;
    };
    return { pid, exited, stop };
  };
  return { name: 'idle service', logFile: '/nowhere/idle.log', start, pids };
}

/**
 * Ids of all processes whose environment names this home: whatever a stack started, and whatever those
 * started. Linux only, which is where it is asked.
 */
export function processesOf(home: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(`FLYWHEEL_HOME=${home}`) && !isZombie(pid));
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
