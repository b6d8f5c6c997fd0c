import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../cli/setup/cache.ts';
import { exclusive } from '../../cli/setup/exclusive.js';
import { findPython } from '../../cli/setup/find-python.ts';
import { findUv } from '../../cli/setup/find-uv.ts';
import { runStep } from '../../cli/setup/run-step.ts';

const folder = join(import.meta.dirname, '..', 'contract-servers', 'nemo-microservices', 'sdk');
const requirements = join(folder, 'requirements.txt');

/** Runs a script of `test/contract-servers/nemo-microservices/sdk` with NVIDIA's own client; its output as JSON. */
export async function runWithNemoSdk(script: string, args: readonly string[] = []): Promise<unknown> {
  const python = await nemoSdkPython();
  const home = await mkdtemp(join(tmpdir(), 'flywheel-hf-'));
  try {
    const { stdout } = await promisify(execFile)(python, [join(folder, script), ...args], {
      // A cache of its own: what is downloaded is downloaded now.
      env: { ...process.env, HF_HOME: home, HF_TOKEN: '', PYTHONDONTWRITEBYTECODE: '1' },
      timeout: 540_000,
      maxBuffer: 16 * 1024 * 1024,
    });
    return JSON.parse(stdout);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** An environment with the exact versions of requirements.txt, made once per machine: some seconds, 60 MB. */
export async function nemoSdkPython(): Promise<string> {
  const python = await findPython();
  if (!python) throw new Error('Python 3.11 or newer is missing');
  const hash = createHash('sha256').update(readFileSync(requirements)).update(python.version).digest('hex');
  const environment = join(cacheDir(), 'nemo-sdk', hash.slice(0, 16));
  const ready = join(environment, '.flywheel-ready');
  const executable = join(environment, 'bin', 'python');
  if (existsSync(ready)) return executable;
  const note = (line: string) => console.log(line);
  await exclusive(
    `${environment}.queue`,
    () => note('Waiting for another set-up.'),
    async () => {
      if (existsSync(ready)) return;
      const uv = await findUv(cacheDir(), python, note);
      const step = (title: string, stepArgs: readonly string[]) =>
        runStep({ title, command: uv, args: stepArgs, note });
      await step('Making an environment for NVIDIA’s client', [
        'venv',
        '--clear',
        '--python',
        python.path,
        environment,
      ]);
      const install = ['pip', 'sync', '--require-hashes', '--python', executable, requirements];
      await step('Installing NVIDIA’s client', install);
      await writeFile(ready, `${new Date().toISOString()}\n`);
    },
  );
  return executable;
}
