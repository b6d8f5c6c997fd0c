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
  return processIds().filter((pid) => environmentOf(pid).includes(`FLYWHEEL_HOME=${home}`) && !isZombie(pid));
}

function environmentOf(pid: number): string[] {
  return read(`/proc/${pid}/environ`).split('\0');
}

function isZombie(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  return stat === '' || / Z /.test(stat);
}

/**
 * Stops the training of the model server at `url` in the middle, as a debugger would, until the returned function
 * lets it go on.
 */
export function holdTraining(url: string): () => void {
  const port = new URL(url).port;
  const server = processIds().find(
    (pid) => / -m model_server .*--port (\d+)/.exec(commandOf(pid))?.[1] === port,
  );
  const held = server === undefined ? [] : descendantsOf(server);
  if (held.length === 0) throw new Error(`no trainer of ${url} runs`);
  for (const pid of held) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const pid of held) process.kill(pid, 'SIGCONT');
  };
}

function descendantsOf(parent: number): number[] {
  const children = processIds().filter((pid) => parentOf(pid) === parent);
  return children.flatMap((pid) => [pid, ...descendantsOf(pid)]);
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

function parentOf(pid: number): number {
  // The name in parentheses may hold anything; behind it come state and parent.
  return Number(/\) \S (\d+)/.exec(read(`/proc/${pid}/stat`))?.[1]);
}

/** Empty for a process that ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
