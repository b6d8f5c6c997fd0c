import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { basePorts, type Config, loadConfig, repositoryRoot } from '../../../config/config.ts';

/** The contract server of NeMo Microservices v1, before the offset. */
const nemoV1Port = 8310;

export interface StackOptions {
  readonly home: string;
  readonly portOffset: number;
}

/** `flywheel dev --platform nemo` in a home of its own, acted on by the commands that a person would type. */
export interface Stack {
  readonly config: Config;
  readonly nemoV1Port: number;
  /** The JSON that a command prints. Rejects with its own words when it fails. */
  flywheel(...args: string[]): Promise<unknown>;
}

/** Writes the home's files, unless they are there, and starts what does not run yet. */
export async function startStack({ home, portOffset }: StackOptions): Promise<Stack> {
  const port = nemoV1Port + portOffset;
  await mkdir(home, { recursive: true });
  const candidates = join(home, 'candidates.yaml');
  const workloads = join(home, 'workloads.yaml');
  await writeOnce(candidates, await candidatesAt(portOffset, port));
  await writeOnce(workloads, 'default:\n  threshold: 0.75\n');
  const env = {
    ...process.env,
    FLYWHEEL_HOME: home,
    FLYWHEEL_PORT_OFFSET: String(portOffset),
    FLYWHEEL_CANDIDATES: candidates,
    FLYWHEEL_WORKLOADS: workloads,
    FLYWHEEL_PLATFORM: 'nemo',
  };
  const stack: Stack = {
    config: loadConfig({ env }),
    nemoV1Port: port,
    flywheel: (...args) => flywheel(env, args),
  };
  await stack.flywheel('dev', '--detach');
  return stack;
}

async function candidatesAt(portOffset: number, nemoV1: number): Promise<string> {
  const template = await readFile(resolve(import.meta.dirname, 'candidates.yaml'), 'utf8');
  return template
    .replaceAll('PORT_NEMO_V1', String(nemoV1))
    .replaceAll('PORT_NEMO_PLATFORM', String(basePorts.nemoPlatform + portOffset))
    .replaceAll('PORT_MODEL_SERVER', String(basePorts.modelServer + portOffset));
}

async function writeOnce(path: string, content: string): Promise<void> {
  if (!existsSync(path)) await writeFile(path, content);
}

async function flywheel(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, [join(repositoryRoot, 'cli', 'bin.js'), ...args, '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((done) => child.once('exit', done));
  const [printed, said, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  if (code !== 0) throw new Error(`flywheel ${args.join(' ')} ended with ${code}:\n${printed}${said}`);
  return JSON.parse(printed) as unknown;
}
