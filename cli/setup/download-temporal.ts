import { spawn } from 'node:child_process';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** No byte within this time means that the network does not let us through; then building is quicker. */
const firstByteMs = 15_000;
/** The whole download; about 60 MB. */
const downloadMs = 300_000;

/** What was downloaded before. Never from a folder that others can write to: it is run. */
export async function cachedDownload(cacheDir: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(cacheDir).catch(() => [])) {
    if (/^temporal-sdk-typescript-[\d.]+$/.test(name)) found.push(join(cacheDir, name));
  }
  return found;
}

/**
 * Lets `@temporalio/testing` download the server into the cache. Null where the network does not allow it:
 * that is no error, there is another way. It runs in a process of its own because the SDK's download
 * cannot be interrupted.
 */
export async function downloadTemporal({
  cacheDir,
  onProgress,
  signal,
}: {
  readonly cacheDir: string;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal;
}): Promise<string | null> {
  await mkdir(cacheDir, { recursive: true });
  onProgress('Trying to download Temporal’s dev server (about 60 MB)…');
  const script = fileURLToPath(new URL('./download-temporal-child.js', import.meta.url));
  const child = spawn(process.execPath, [script, cacheDir], { stdio: 'ignore', ...(signal && { signal }) });
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  const watch = stopWhenStuck(cacheDir, () => child.kill('SIGKILL'));
  const code = await ended;
  clearInterval(watch);
  await removePartial(cacheDir);
  if (code === 0) return (await cachedDownload(cacheDir))[0] ?? null;
  onProgress('It could not be downloaded here.');
  return null;
}

function stopWhenStuck(cacheDir: string, stop: () => void): NodeJS.Timeout {
  const started = Date.now();
  const look = async () => {
    const elapsed = Date.now() - started;
    const moving = elapsed < firstByteMs || (await partialBytes(cacheDir)) > 0;
    if (!moving || elapsed > downloadMs) stop();
  };
  return setInterval(() => void look(), 1_000);
}

async function partialBytes(cacheDir: string): Promise<number> {
  const sizes = (await cachedNames(cacheDir)).map(async (name) => (await stat(join(cacheDir, name))).size);
  return (await Promise.all(sizes).catch(() => [0])).reduce((sum, size) => sum + size, 0);
}

async function cachedNames(cacheDir: string): Promise<string[]> {
  return (await readdir(cacheDir)).filter((name) => name.startsWith('temporal-sdk-typescript-'));
}

async function removePartial(cacheDir: string): Promise<void> {
  const partial = (await cachedNames(cacheDir)).filter((name) => name.endsWith('.downloading'));
  await Promise.all(partial.map((name) => rm(join(cacheDir, name), { force: true })));
}
