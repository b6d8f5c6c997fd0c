import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** The newest release that can be built as a module: later ones carry `replace` lines, which Go refuses. */
const module = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
/** Packages that its build compiles, roughly; for the progress line only. */
const packageEstimate = 1_250;

export interface BuildTemporalOptions {
  readonly cacheDir: string;
  readonly onProgress: (line: string) => void;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/**
 * Builds the dev server from its Go module into the cache and returns its path. Go keeps what it has
 * compiled, so an interrupted build goes on where it was; the binary is renamed into place whole.
 */
export async function buildTemporal(options: BuildTemporalOptions): Promise<string> {
  await requireGo(options.env);
  await mkdir(options.cacheDir, { recursive: true });
  const folder = await mkdtemp(join(options.cacheDir, 'building-'));
  try {
    options.onProgress(
      'Building Temporal’s dev server from its Go module: about 5 minutes, once per machine.',
    );
    await goInstall(folder, options);
    const target = join(options.cacheDir, 'temporal');
    await chmod(join(folder, 'temporal'), 0o755);
    await rename(join(folder, 'temporal'), target);
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function requireGo(env: NodeJS.ProcessEnv): Promise<void> {
  await promisify(execFile)('go', ['version'], { env }).catch(() => {
    throw new Error(
      'Temporal’s dev server is missing: install the `temporal` CLI or Go 1.24 or newer (to build it), or set TEMPORAL_ADDRESS to a running server.',
    );
  });
}

async function goInstall(folder: string, options: BuildTemporalOptions): Promise<void> {
  const child = spawn('go', ['install', '-v', module], {
    // No C compiler needed: the server's SQLite is pure Go, and Go does without where there is none.
    env: { ...options.env, GOBIN: folder, GOFLAGS: '-buildvcs=false' },
    stdio: ['ignore', 'ignore', 'pipe'],
    // Interrupted, Go ends its compilers too.
    ...(options.signal && { signal: options.signal, killSignal: 'SIGINT' as const }),
  });
  const lastLines: string[] = [];
  const started = Date.now();
  let compiled = 0;
  let downloaded = 0;
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastLines.push(line);
    if (lastLines.length > 5) lastLines.shift();
    if (line.startsWith('go: downloading')) downloaded++;
    else compiled++;
  });
  const ticker = setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1_000);
    const done =
      compiled > 0
        ? `${compiled} of about ${packageEstimate} packages compiled`
        : `${downloaded} modules fetched`;
    options.onProgress(`Building Temporal: ${done}, ${seconds} s`);
  }, 10_000);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  }).finally(() => clearInterval(ticker));
  if (code !== 0) {
    throw new Error(
      `Temporal’s dev server could not be built by \`go install ${module}\`: ${lastLines.join(' | ')}`,
    );
  }
}
