import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { shortPath } from '../../config/short-path.ts';
import { ConflictError } from '../../domain/errors.ts';
import { hintFor } from '../hint.ts';
import { identify, isRunning, type ProcessIdentity } from '../setup/process-identity.js';

const Identity = z.object({ pid: z.number().int(), began: z.string() });

const StackRecord = z.object({
  supervisor: Identity,
  /** RFC 3339. */
  since: z.string(),
  portOffset: z.number(),
  ready: z.boolean(),
  services: z.record(z.string(), Identity),
});
/** What `<home>/stack.json` says of the stack that runs there. */
export type StackRecord = z.infer<typeof StackRecord>;

/** How long the services of a supervisor that was killed get to end by themselves. */
const leftoverGraceMs = 10_000;

/** One supervisor's exclusive use of a home, and the record by which `stop` and the next start find it. */
export interface HomeClaim {
  setService(name: string, pid: number): void;
  setReady(): void;
  release(): void;
}

/** The stack that runs for this home, or null. */
export function findRunningStack(home: string): StackRecord | null {
  const record = readRecord(home);
  return record && isRunning(record.supervisor) ? record : null;
}

/**
 * Claims the home for this process. Throws `ConflictError` while another supervisor has it. What a killed
 * supervisor left behind is ended first.
 */
export async function claimHome(
  home: string,
  portOffset: number,
  log: (line: string) => void,
): Promise<HomeClaim> {
  mkdirSync(home, { recursive: true });
  const self = identify(process.pid);
  if (self === null) throw new Error('this process cannot see itself');
  const record: StackRecord = {
    supervisor: self,
    since: new Date().toISOString(),
    portOffset,
    ready: false,
    services: {},
  };
  await takeOver(home, record, log);
  const update = (change: Partial<StackRecord>) => writeRecord(home, Object.assign(record, change));
  return {
    setService: (name, pid) => {
      const identity = identify(pid);
      if (identity) update({ services: { ...record.services, [name]: identity } });
    },
    setReady: () => update({ ready: true }),
    release: () => {
      if (readRecord(home)?.supervisor.pid === process.pid) rmSync(recordFile(home), { force: true });
    },
  };
}

async function takeOver(home: string, record: StackRecord, log: (line: string) => void): Promise<void> {
  while (!created(home, record)) {
    const running = findRunningStack(home);
    if (running) {
      throw new ConflictError(
        `Another copy runs for ${home} (process ${running.supervisor.pid}, since ${running.since}). ` +
          `Stop it by \`${hintFor({ home: shortPath(home) }, 'stop')}\`, or give this one its own --home and --port-offset.`,
      );
    }
    await endLeftovers(home, log);
    rmSync(recordFile(home), { force: true });
  }
}

/** Ends the services of a supervisor that is gone. They end with it by themselves; this is for those that hang. */
export async function endLeftovers(home: string, log: (line: string) => void): Promise<void> {
  const entries = Object.entries(readRecord(home)?.services ?? {});
  const left = () => entries.filter(([, identity]) => isRunning(identity));
  if (left().length === 0) return;
  log(
    `A stack here was killed and left ${left()
      .map(([name]) => name)
      .join(', ')}; ending it first.`,
  );
  for (const [, identity] of left()) signal(identity, 'SIGTERM');
  for (const deadline = Date.now() + leftoverGraceMs; left().length > 0 && Date.now() < deadline; )
    await sleep(100);
  for (const [, identity] of left()) signal(identity, 'SIGKILL');
  while (left().length > 0) await sleep(50);
}

/** To the whole group: each service leads one. */
function signal({ pid }: ProcessIdentity, name: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, name);
      return;
    } catch {
      // Not the leader of a group, or gone already.
    }
  }
}

function recordFile(home: string): string {
  return join(home, 'stack.json');
}

/** False when there is one already. By a link, which appears whole. */
function created(home: string, record: StackRecord): boolean {
  const own = `${recordFile(home)}.${process.pid}`;
  writeFileSync(own, JSON.stringify(record));
  try {
    linkSync(own, recordFile(home));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function writeRecord(home: string, record: StackRecord): void {
  const own = `${recordFile(home)}.${process.pid}`;
  writeFileSync(own, JSON.stringify(record));
  renameSync(own, recordFile(home));
}

function readRecord(home: string): StackRecord | null {
  try {
    return StackRecord.parse(JSON.parse(readFileSync(recordFile(home), 'utf8')));
  } catch {
    return null;
  }
}
