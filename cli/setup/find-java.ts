import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface Java {
  /** The folder that has `bin/java`. */
  readonly home: string;
  /** Major version, such as 17. */
  readonly version: number;
}

/** JAVA_HOME, else `java` on the PATH; null when neither runs. */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<Java | null> {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  const candidates = [...(env.JAVA_HOME ? [join(env.JAVA_HOME, 'bin')] : []), ...folders];
  for (const folder of candidates) {
    const path = await realpath(join(folder, 'java')).catch(() => null);
    const version = path && (await versionOf(path));
    if (path && version) return { home: dirname(dirname(path)), version };
  }
  return null;
}

/** 17 from `openjdk version "17.0.15"`; null when it says nothing such. */
async function versionOf(path: string): Promise<number | null> {
  const said = await promisify(execFile)(path, ['-version'], { timeout: 20_000 }).catch(() => null);
  const match = /version "(\d+)/.exec(`${said?.stderr}${said?.stdout}`);
  return match ? Number(match[1]) : null;
}
