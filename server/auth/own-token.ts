import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The token by which Flywheel's own processes on this machine ask the gateway; made at its first start.
 * Where they share no disk, FLYWHEEL_GATEWAY_TOKEN tells them all.
 */
export async function ensureOwnToken(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  const made = `fw_own_${randomBytes(32).toString('hex')}`;
  try {
    await writeFile(file, `${made}\n`, { mode: 0o600, flag: 'wx' });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const known = (await readFile(file, 'utf8')).trim();
    if (known !== '') return known;
    // An earlier start died between making the file and filling it.
    await writeFile(file, `${made}\n`, { mode: 0o600 });
    return made;
  }
}
