import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends a detached child when this process is gone, even by SIGKILL.
 *
 * A tiny shell waits for the end of a pipe whose other end only we hold; the kernel closes it whatever
 * kills us. Works on Linux and macOS, needs no polling, and leaves the child out of the terminal's process
 * group, so that Ctrl-C reaches the supervisor alone, which then stops things in order.
 */
export function endWithParent(child: ChildProcess, signal: 'INT' | 'TERM' | 'KILL'): void {
  if (child.pid === undefined) return;
  const watch = spawn(
    '/bin/sh',
    ['-c', `cat >/dev/null; kill -${signal} "$1"`, 'end-with-parent', `${child.pid}`],
    {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
    },
  );
  watch.unref();
  watch.on('error', () => undefined);
  // Killed first, so that it never signals a process id that the system has given to somebody else.
  child.once('exit', () => watch.kill('SIGKILL'));
}
