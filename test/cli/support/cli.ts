import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { runCli } from '../../../cli/run-cli.ts';
import { loadConfig } from '../../../config/config.ts';
import { openLineage } from '../../../wiring/open-lineage.ts';
import { openLogStore } from '../../../wiring/open-log-store.ts';
import { createTestDatabase } from '../../support/database.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` printed. */
  json(): unknown;
}

export type RunCommand = (...args: string[]) => Promise<Ran>;

/** Nothing listens on these; a command that needs Temporal or PostgreSQL finds them down. */
const deadEnd = {
  DATABASE_URL: 'postgres://flywheel:secret@127.0.0.1:9/flywheel',
  TEMPORAL_ADDRESS: '127.0.0.1:9',
};

/** The command line in this process, with pipes instead of a terminal. */
export function cliWith(env: NodeJS.ProcessEnv = {}): RunCommand {
  return async (...args) => {
    const [stdout, stderr] = [new Sink(), new Sink()];
    let code = -1;
    const variables = { ...deadEnd, ...env };
    await runCli(args, {
      env: variables,
      streams: { stdout, stderr },
      exit: (exitCode) => {
        code = exitCode;
      },
      loadConfig: ({ home, portOffset }) =>
        loadConfig({
          env: variables,
          ...(home !== undefined && { home }),
          ...(portOffset !== undefined && { portOffset }),
        }),
    });
    return { code, stdout: stdout.text, stderr: stderr.text, json: () => JSON.parse(stdout.text) };
  };
}

/** The command line before a PostgreSQL of its own: `inject('databaseUrl')`, by way of `createTestDatabase`. */
export async function setup(env: Record<string, string> = {}) {
  const home = await mkdtemp(join(tmpdir(), 'flywheel-cli-'));
  const database = await createTestDatabase();
  const direct = {
    database: { url: database.url, embedded: false },
    logStore: { kind: 'postgres' as const },
  };
  const lineage = openLineage(direct);
  const logStore = openLogStore(direct);
  onTestFinished(async () => {
    await Promise.allSettled([lineage.close(), logStore.close()]);
    await database.drop();
    await rm(home, { recursive: true, force: true });
  });
  const run = cliWith({ DATABASE_URL: database.url, FLYWHEEL_HOME: home, ...env });
  return { run, lineage, logStore, home, databaseUrl: database.url };
}

class Sink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
