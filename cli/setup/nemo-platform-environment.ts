import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../../config/config.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { cacheDir } from './cache.ts';
import { exclusive } from './exclusive.js';
import { findPython, type Python } from './find-python.ts';
import { findUv } from './find-uv.ts';
import { runStep } from './run-step.ts';

const project = join(repositoryRoot, 'nemo-peft-plugin');
const lockFile = join(project, 'platform.lock');
/** What the plug-in is built from. */
const sources = ['pyproject.toml', 'README.md', 'flywheel_nemo_peft'];

/** What the embedded NeMo Platform runs on. */
export interface NemoPlatformTools {
  /** The interpreter that has the platform and everything of its lock. */
  readonly python: string;
  /** A folder with our plug-in, for PYTHONPATH: clones share the platform, each runs its own plug-in. */
  readonly pluginDir: string;
}

type Note = (line: string) => void;

/**
 * The real NeMo Platform in an environment of its own, from `nemo-peft-plugin/platform.lock` (hashed, exact),
 * and our plug-in beside it. Once per lock and Python: about half a minute where uv's cache is warm, 1.1 GB.
 */
export async function prepareNemoPlatform(note: Note, signal?: AbortSignal): Promise<NemoPlatformTools> {
  const python = await requirePython();
  const environment = environmentDir(python);
  const pluginDir = pluginDirOf(python);
  const options = { python, note, ...(signal && { signal }) };
  if (!existsSync(readyFile(environment)) || !existsSync(pluginDir)) {
    await exclusive(
      `${environment}.queue`,
      () => note('Another set-up is installing NeMo Platform; waiting for it.'),
      async () => {
        if (!existsSync(readyFile(environment))) await installPlatform(environment, options);
        if (!existsSync(pluginDir)) await installPlugin(environment, pluginDir, options);
      },
    );
  }
  return { python: executable(environment), pluginDir };
}

interface InstallOptions {
  readonly python: Python;
  readonly note: Note;
  readonly signal?: AbortSignal;
}

async function installPlatform(environment: string, options: InstallOptions): Promise<void> {
  const { python, note, signal } = options;
  const uv = await findUv(cacheDir(), python, note, signal);
  note('Installing NeMo Platform (about 270 packages, 1.1 GB): half a minute, once per machine.');
  const step = (title: string, args: readonly string[]) =>
    runStep({ title, command: uv, args, env: uvEnvironment(), note, ...(signal && { signal }) });
  await step('Making the environment of NeMo Platform', [
    ...['venv', '--quiet', '--clear', '--no-project', '--python', python.path, environment],
  ]);
  await step('Installing NeMo Platform', [
    ...['pip', 'install', '--quiet', '--python', executable(environment), '--require-hashes'],
    ...['--requirements', lockFile],
  ]);
  await writeFile(readyFile(environment), `${new Date().toISOString()}\n`);
}

/** Built with what the lock has, hence without a network; into its place only when whole. */
async function installPlugin(environment: string, target: string, options: InstallOptions): Promise<void> {
  const { python, note, signal } = options;
  const uv = await findUv(cacheDir(), python, note, signal);
  const [source, partial] = [`${target}.source`, `${target}.partial`];
  for (const folder of [source, partial]) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
  }
  // Of a copy, since building leaves its traces.
  for (const name of sources) await cp(join(project, name), join(source, name), { recursive: true });
  await runStep({
    title: 'Installing the PEFT plug-in',
    command: uv,
    args: [
      ...['pip', 'install', '--quiet', '--python', executable(environment), '--target', partial],
      ...['--no-deps', '--no-build-isolation', '--offline', '--no-cache', source],
    ],
    env: uvEnvironment(),
    note,
    ...(signal && { signal }),
  });
  await rename(partial, target);
  await rm(source, { recursive: true, force: true });
}

function uvEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, UV_PYTHON_DOWNLOADS: 'never' };
}

async function requirePython(): Promise<Python> {
  const python = await findPython();
  if (python) return python;
  throw new InvalidInputError(
    'Python 3.11 or newer is missing, which NeMo Platform runs on: install it so that `python3` is on the PATH.',
  );
}

function environmentDir(python: Python): string {
  return join(cacheDir(), 'nemo-platform', hashOf(python, [lockFile]));
}

function pluginDirOf(python: Python): string {
  const source = join(project, 'flywheel_nemo_peft');
  const files = readdirSync(source)
    .filter((name) => name.endsWith('.py'))
    .sort()
    .map((name) => join(source, name));
  return join(cacheDir(), 'nemo-peft-plugin', hashOf(python, [...files, join(project, 'pyproject.toml')]));
}

function hashOf(python: Python, files: readonly string[]): string {
  const hash = createHash('sha256').update(`${python.version} ${process.platform}-${process.arch}`);
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

function readyFile(environment: string): string {
  return join(environment, '.flywheel-ready');
}

function executable(environment: string): string {
  return join(environment, 'bin', 'python');
}
