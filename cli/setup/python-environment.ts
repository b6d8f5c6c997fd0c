import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../../config/config.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { cacheDir } from './cache.ts';
import { exclusive } from './exclusive.js';
import { findPython, type Python } from './find-python.ts';
import { findUv } from './find-uv.ts';
import { runStep } from './run-step.ts';

const project = join(repositoryRoot, 'model-server');

/**
 * The Python that runs the model server: FLYWHEEL_PYTHON, else the one of the environment that set-up made.
 * Throws when there is none yet.
 */
export async function pythonPath(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (env.FLYWHEEL_PYTHON) return env.FLYWHEEL_PYTHON;
  const environment = environmentDir(await requirePython(), env);
  if (existsSync(readyFile(environment))) return executable(environment);
  throw new InvalidInputError('The Python environment is not installed yet: run `npm run setup`.');
}

/**
 * Makes the Python environment from `model-server/uv.queue`, once per lock file and Python, shared by clones.
 * Can be interrupted and repeated: uv goes on from what it has fetched, and the marker comes last.
 */
export async function preparePython(note: (line: string) => void, signal?: AbortSignal): Promise<string> {
  const { env } = process;
  if (env.FLYWHEEL_PYTHON) return env.FLYWHEEL_PYTHON;
  const python = await requirePython();
  const environment = environmentDir(python, env);
  if (existsSync(readyFile(environment))) return executable(environment);
  await exclusive(
    `${environment}.queue`,
    () => note('Another set-up is installing the Python packages; waiting for it.'),
    async () => {
      if (!existsSync(readyFile(environment))) await install(environment, python, note, signal);
    },
  );
  return executable(environment);
}

async function install(
  environment: string,
  python: Python,
  note: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const uv = await findUv(cacheDir(), python, note, signal);
  note('Installing the Python packages (PyTorch and others, about 5 GB): 2 to 5 minutes, once per machine.');
  await runStep({
    title: 'Installing the Python packages',
    command: uv,
    // Without the project itself: clones share the environment, each runs its own source.
    args: ['sync', '--frozen', '--no-install-project', '--project', project, '--python', python.path],
    env: { ...process.env, UV_PROJECT_ENVIRONMENT: environment, UV_PYTHON_DOWNLOADS: 'never' },
    note,
    ...(signal && { signal }),
  });
  await warmUp(environment, note, signal);
  await writeFile(readyFile(environment), `${new Date().toISOString()}\n`);
}

/**
 * Imports everything once: proves the environment, and leaves compiled bytecode behind. Without that a start
 * of the model server compiles PyTorch and its friends anew, 30 s instead of 10, wherever bytecode is off.
 */
async function warmUp(
  environment: string,
  note: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { PYTHONDONTWRITEBYTECODE: _, ...env } = process.env;
  await runStep({
    title: 'Importing the Python packages for the first time',
    command: executable(environment),
    args: ['-m', 'model_server', '--check'],
    cwd: project,
    env,
    note,
    ...(signal && { signal }),
  });
}

async function requirePython(): Promise<Python> {
  const python = await findPython();
  if (python) return python;
  throw new InvalidInputError(
    'Python 3.11 or newer is missing: install it so that `python3` is on the PATH, or set FLYWHEEL_PYTHON.',
  );
}

function environmentDir(python: Python, env: NodeJS.ProcessEnv): string {
  const hash = createHash('sha256')
    .update(readFileSync(join(project, 'uv.lock')))
    .update(`${python.version} ${process.platform}-${process.arch}`)
    .digest('hex');
  return join(cacheDir(env), 'python', hash.slice(0, 16));
}

function readyFile(environment: string): string {
  return join(environment, '.flywheel-ready');
}

function executable(environment: string): string {
  return join(environment, 'bin', 'python');
}
