import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { UnavailableError } from '../../domain/errors.ts';

export interface Step {
  /** What is being done, for the lines that a person reads: `Installing the Python packages`. */
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Aborted: the command is ended, and the step fails. */
  readonly signal?: AbortSignal;
  readonly note: (line: string) => void;
}

/** Says every so often that a long step is alive. */
const tickMs = 15_000;

/** Runs a long, quiet command; its output is shown only when it fails. */
export async function runStep({ title, command, args, env, cwd, signal, note }: Step): Promise<void> {
  const child = spawn(command, args, {
    env: env ?? process.env,
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal, killSignal: 'SIGINT' }),
  });
  const lastLines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > 12) lastLines.shift();
    });
  }
  const started = Date.now();
  const ticker = setInterval(() => note(`${title}: ${Math.round((Date.now() - started) / 1000)} s`), tickMs);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  }).finally(() => clearInterval(ticker));
  if (code !== 0) {
    throw new UnavailableError(
      `${title} failed (${command} ended with ${code}); its last lines:\n${lastLines.join('\n')}`,
    );
  }
}
