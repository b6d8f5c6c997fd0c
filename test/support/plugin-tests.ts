import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from '../../cli/setup/cache.ts';
import { exclusive } from '../../cli/setup/exclusive.js';
import { findPython } from '../../cli/setup/find-python.ts';
import { findUv } from '../../cli/setup/find-uv.ts';
import { prepareNemoPlatform } from '../../cli/setup/nemo-platform-environment.ts';
import { runStep } from '../../cli/setup/run-step.ts';
import { repositoryRoot } from '../../config/config.ts';

const lock = join(repositoryRoot, 'nemo-peft-plugin', 'tests', 'pytest.lock');

type Note = (line: string) => void;

/**
 * What the plug-in's tests run in: the platform's own environment, which stays as its lock made it, and pytest in
 * a folder of its own beside it, made once per lock.
 */
export async function pluginTestEnvironment(
  note: Note,
): Promise<{ readonly python: string; readonly env: NodeJS.ProcessEnv }> {
  const { python } = await prepareNemoPlatform(note);
  const hash = createHash('sha256').update(readFileSync(lock)).update(python).digest('hex');
  const folder = join(cacheDir(), 'nemo-peft-plugin-tests', hash.slice(0, 16));
  if (!existsSync(folder)) {
    await exclusive(
      `${folder}.queue`,
      () => note('Waiting for another set-up.'),
      () => install(folder, { python, note }),
    );
  }
  return { python, env: { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' } };
}

async function install(
  folder: string,
  { python, note }: { readonly python: string; readonly note: Note },
): Promise<void> {
  if (existsSync(folder)) return;
  const found = await findPython();
  if (!found) throw new Error('Python 3.11 or newer is missing');
  const uv = await findUv(cacheDir(), found, note);
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await runStep({
    title: 'Installing pytest for the NeMo plug-in',
    command: uv,
    args: [
      ...['pip', 'install', '--quiet', '--python', python, '--target', partial],
      ...['--no-deps', '--require-hashes', '--requirements', lock],
    ],
    note,
  });
  await rename(partial, folder);
}
