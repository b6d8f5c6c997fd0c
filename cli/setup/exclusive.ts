import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process on this machine runs with the same lock file. Waits its turn; a lock
 * whose holder is dead is taken over.
 */
export async function exclusive<T>(lockFile: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(lockFile), { recursive: true });
  for (let waited = false; !(await claim(lockFile)); waited = true) {
    if (!waited) onWait();
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function claim(lockFile: string): Promise<boolean> {
  try {
    const file = await open(lockFile, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (await holderIsDead(lockFile)) await rm(lockFile, { force: true });
    return false;
  }
}

async function holderIsDead(lockFile: string): Promise<boolean> {
  const pid = Number.parseInt(await readFile(lockFile, 'utf8').catch(() => ''), 10);
  // Empty for the instant between creation and writing; the next look tells.
  if (Number.isNaN(pid)) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
