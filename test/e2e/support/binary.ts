import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../../../config/config.ts';

const bin = join(repositoryRoot, 'cli', 'bin.js');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` printed: one document, and nothing beside it. */
  json(): unknown;
}

export interface Binary {
  run(...args: string[]): Promise<Ran>;
  /** Ctrl-C as soon as it has printed a line. */
  interrupted(...args: string[]): Promise<Ran>;
  /** Runs a line that was printed, by a shell, as somebody would who pastes it. */
  paste(line: string): Promise<Ran>;
  /** The lines of a text that are there to be pasted. */
  commandsIn(text: string): string[];
}

/** The real binary, a process for each command, for the stack that `flags` name. */
export function flywheelBinary(flags: readonly string[], variables: NodeJS.ProcessEnv): Binary {
  const env = { ...process.env, ...variables };
  return {
    run: (...args) => execute(process.execPath, [bin, ...args, ...flags], env),
    interrupted: (...args) => execute(process.execPath, [bin, ...args, ...flags], env, 'SIGINT'),
    paste: (line) =>
      execute('sh', ['-c', line.replace(/^npx flywheel/, `'${process.execPath}' '${bin}'`)], env),
    commandsIn: (text) =>
      [...text.matchAll(/^\s*(?:next: )?(npx flywheel .*)$/gm)].map((found) => found[1] ?? ''),
  };
}

function execute(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal?: NodeJS.Signals,
): Promise<Ran> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      said[name] += chunk.toString('utf8');
      if (signal && name === 'stdout') child.kill(signal);
    });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...said, code, json: () => JSON.parse(said.stdout) }));
  });
}
