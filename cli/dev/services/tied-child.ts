import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Runs the command and ends it when whoever holds the other end of its input is gone, however that died:
 * the kernel closes a dead process's pipes. TERM and INT are passed on, and the exit code is the command's.
 */
const guard = `
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
trap 'kill -TERM $child 2>/dev/null' TERM INT HUP
(read -r _ <&3; kill -TERM $child 2>/dev/null; sleep 10; kill -KILL $child 2>/dev/null) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $child; code=$?
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
kill $watcher 2>/dev/null
exit $code
`;

export interface TiedChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Gets every line that the command prints, of both streams. */
  readonly onLine: (line: string) => void;
}

export interface TiedChild {
  readonly pid: number;
  /** Settles with the exit code (null: by a signal) when the command has ended. */
  readonly exited: Promise<number | null>;
  /** Asks it to end, insists after `graceMs`, and resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Starts a service that must not outlive us, not even when we are killed. It has a process group of its
 * own, so that Ctrl-C at the terminal reaches only us and we decide the order of stopping.
 */
export function spawnTied(command: string, args: readonly string[], options: TiedChildOptions): TiedChild {
  const child = spawn('/bin/sh', ['-c', guard, 'flywheel-service', command, ...args], {
    detached: true,
    env: options.env ?? process.env,
    ...(options.cwd ? { cwd: options.cwd } : {}),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  forwardLines(child, options.onLine);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', (error) => {
      options.onLine(`cannot start ${command}: ${error.message}`);
      resolve(null);
    });
  });
  const stop = async (graceMs = 10_000): Promise<void> => {
    // Only the guard, which passes it on: many servers take a second TERM as "at once".
    child.kill('SIGTERM');
    const insist = setTimeout(() => killGroup(child), graceMs);
    await exited;
    clearTimeout(insist);
  };
  return { pid: child.pid ?? -1, exited, stop };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group ended between the check and the signal: nothing is left to stop.
  }
}

function forwardLines(child: ChildProcess, onLine: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
    stream?.on('end', () => {
      if (rest) onLine(rest);
    });
  }
}
