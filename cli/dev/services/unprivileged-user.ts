import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { InvalidInputError } from '../../../domain/errors.ts';

/** How to run a server that refuses root: as ourselves, or, where we are root, as somebody else. */
export interface UnprivilegedUser {
  /** Owner of its files; absent when we are not root. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** The program and arguments to spawn for a command. */
  wrap(command: string, args: readonly string[]): { command: string; args: string[] };
  readonly spawnOptions: { uid?: number; gid?: number };
}

/**
 * `server` and `variable` are for the error: who refuses root, and what to set to run none.
 * `dataDir` may not exist yet; its `parent` must.
 */
export function unprivilegedUser(
  server: string,
  variable: string,
  binary: string,
  dataDir: string,
  parent: string,
): UnprivilegedUser {
  if (process.getuid?.() !== 0) return { wrap: asIs, spawnOptions: {} };

  const owner = ownerOf(dataDir) ?? accountOf('postgres') ?? accountOf('nobody');
  if (!owner) {
    throw new InvalidInputError(
      `${server} refuses to run as root and there is no user "postgres" or "nobody" to run it as. ` +
        `Create one, run Flywheel as another user, or set ${variable}.`,
    );
  }
  if (canReach(owner, [binary, parent])) return { owner, wrap: asIs, spawnOptions: owner };
  return { owner, wrap: withPassage(owner, server, variable), spawnOptions: {} };
}

function asIs(command: string, args: readonly string[]): { command: string; args: string[] } {
  return { command, args: [...args] };
}

/**
 * A clone under /root (mode 0700) is out of that user's reach. setpriv keeps just the capability to pass
 * through folders; `no_setuid_fixup` makes access(2), with which PostgreSQL finds itself, honour it too.
 */
function withPassage(
  owner: { uid: number; gid: number },
  server: string,
  variable: string,
): UnprivilegedUser['wrap'] {
  const become =
    `--reuid ${owner.uid} --regid ${owner.gid} --clear-groups --securebits +no_setuid_fixup ` +
    '--inh-caps +dac_override --ambient-caps +dac_override';
  const flags = become.split(' ');
  if (spawnSync('setpriv', [...flags, 'true'], { cwd: '/' }).status !== 0) {
    throw new InvalidInputError(
      `${server} refuses to run as root, and the user it would run as cannot enter this folder. ` +
        `Move the clone to a folder that others may enter, run Flywheel as another user, or set ${variable}.`,
    );
  }
  return (command, args) => ({ command: 'setpriv', args: [...flags, command, ...args] });
}

function canReach(user: { uid: number; gid: number }, paths: readonly string[]): boolean {
  const script = 'for path do test -x "$path" || exit 1; done';
  return spawnSync('/bin/sh', ['-c', script, 'reach', ...paths], { ...user, cwd: '/' }).status === 0;
}

function ownerOf(path: string): { uid: number; gid: number } | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && stat.uid !== 0 ? { uid: stat.uid, gid: stat.gid } : null;
}

function accountOf(name: string): { uid: number; gid: number } | null {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}
