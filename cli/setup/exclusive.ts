import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process on this machine runs with the same lock file. Waits its turn; a lock
 * whose holder is dead is taken over.
 */
export async function exclusive<T>(lockFile: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(lockFile), { recursive: true });
  const mine = `${lockFile}.${process.pid}`;
  await writeFile(mine, String(process.pid));
  try {
    for (let waited = false; !(await claim(mine, lockFile)); waited = true) {
      if (await holderIsGone(lockFile)) await rm(lockFile, { force: true });
      else if (!waited) onWait();
      await sleep(500);
    }
  } finally {
    await rm(mine, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

/** By a link, which appears whole: nobody ever reads a lock without its holder. */
async function claim(mine: string, lockFile: string): Promise<boolean> {
  return link(mine, lockFile).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}

async function holderIsGone(lockFile: string): Promise<boolean> {
  const holder = await readFile(lockFile, 'utf8').catch(() => null);
  if (holder === null) return false;
  try {
    process.kill(Number(holder), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
