import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { repositoryRoot } from '../../config/config.ts';
import { generateHelpDesk } from '../../samples/help-desk/generate.ts';
import { eventually } from '../support/eventually.ts';
import { holdTraining, processesOf } from '../support/processes.ts';
import { freeOffset } from './support/free-offset.ts';

const bin = join(repositoryRoot, 'cli', 'bin.js');
const minute = 60_000;

/** Small and quick: what is tested is not how well it learns. */
const candidates = `
candidates:
  - name: nano
    model: nano-1m
    lora: { epochs: 4, batch_size: 8, learning_rate: 3.0e-3 }
    max_tokens: 24
`;

interface Doctor {
  readonly ok: boolean;
  readonly services: readonly { name: string; ok: boolean; problem: string | null; mend: string | null }[];
}

/** The tests build on each other: starting the stack is what takes long. */
describe('flywheel dev', () => {
  let home: string;
  let env: NodeJS.ProcessEnv;
  let supervisor: ChildProcess;
  let said = '';

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'flywheel-dev-'));
    writeFileSync(join(home, 'candidates.yaml'), candidates);
    env = {
      ...process.env,
      FLYWHEEL_CANDIDATES: join(home, 'candidates.yaml'),
      FLYWHEEL_HOME: home,
      FLYWHEEL_PORT_OFFSET: String(await freeOffset()),
      // Shared with the other tests: it shows as well that a server which is named is not started.
      MODEL_SERVER_URL: inject('modelServerUrl'),
    };
  });
  afterAll(async () => {
    await flywheel('stop');
    rmSync(home, { recursive: true, force: true });
  });

  it(
    'starts everything and says where it is',
    async () => {
      await startDev();

      expect(said).toMatch(/Gateway \(OpenAI API\)\s+http:\/\/127\.0\.0\.1:\d+\/v1/);
      expect(said).toMatch(/Temporal UI\s+http:\/\/127\.0\.0\.1:\d+/);
      await eventually(async () => {
        const { code, report } = await doctor();
        expect(report.services.filter(({ ok }) => !ok)).toEqual([]);
        expect(code).toBe(0);
      }, minute);
    },
    4 * minute,
  );

  it(
    'refuses a second copy for the same home',
    async () => {
      const { code, stderr } = await flywheel('dev');

      expect(code).toBe(1);
      expect(stderr).toContain(`Another copy runs for ${home} (process ${supervisor.pid}`);
    },
    minute,
  );

  it(
    'has no platform to show that it was not started with',
    async () => {
      const { code, stdout, stderr } = await flywheel('dev', '--detach', '--platform', 'nemo');

      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain('It runs without NeMo Platform');
      expect(stderr).toMatch(/Stop it by `npx flywheel stop.*`, then start it by `npx flywheel dev --detach/);
    },
    minute,
  );

  it(
    'refuses a second home on the same ports, and names them',
    async () => {
      const other = mkdtempSync(join(tmpdir(), 'flywheel-dev-other-'));

      const { code, stderr } = await flywheel('dev', '--home', other);

      expect(code).toBe(1);
      expect(stderr).toMatch(
        /taken by another program: \d+ \(Temporal\), .*\d+ \(gateway\)\. Stop it, or move all/,
      );
      expect(processesOf(other)).toEqual([]);
      rmSync(other, { recursive: true, force: true });
    },
    minute,
  );

  it(
    'restarts what crashes',
    async () => {
      const before = pidOf('gateway');

      process.kill(before, 'SIGKILL');

      await eventually(() => expect(pidOf('gateway')).not.toBe(before), minute);
      await eventually(async () => expect(await doctor()).toMatchObject({ code: 0 }), minute);
    },
    3 * minute,
  );

  it(
    'ends everything in order on Ctrl-C, which npm would pass on once more, and leaves no process behind',
    async () => {
      const services = servicePids();
      const again = setTimeout(() => supervisor.kill('SIGINT'), 200);
      const code = await end('SIGINT');
      clearTimeout(again);

      expect(code).toBe(0);
      expect(processesOf(home).filter((pid) => services.includes(pid))).toEqual([]);
      await eventually(() => expect(said).toContain('Stopped. State is kept'));
      // What only helped them sees the end of its pipe a moment later.
      await eventually(() => expect(processesOf(home)).toEqual([]));
    },
    minute,
  );

  it(
    'tells by doctor what does not answer, and how to mend it',
    async () => {
      const { code, report } = await doctor();

      expect(code).not.toBe(0);
      const failing = report.services.filter(({ ok }) => !ok);
      expect(failing.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['temporal', 'database', 'gateway', 'workflow-worker', 'activity-worker']),
      );
      expect(failing.map(({ name }) => name)).not.toContain('model-server');
      expect(failing.every(({ problem, mend }) => problem && mend)).toBe(true);
    },
    minute,
  );

  it(
    'leaves nothing behind when it is killed, and starts again on the same state',
    async () => {
      await startDev();

      await end('SIGKILL');

      await eventually(() => expect(processesOf(home)).toEqual([]), minute);
      const { code, stdout } = await flywheel('dev', '--detach', '--json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ ready: true, home });
    },
    8 * minute,
  );

  it(
    'carries a run through the death of Temporal and of PostgreSQL in its training',
    async () => {
      const traffic = join(home, 'traffic.jsonl');
      const rows = generateHelpDesk({ seed: 7, records: 150 }).map(
        ({ workload_id: _workload, ...row }) => row,
      );
      writeFileSync(traffic, rows.map((row) => JSON.stringify(row)).join('\n'));
      await flywheel('import', traffic, '--format', 'jsonl', '--workload', 'desk', '--client', 'c');
      const begun = await flywheel('run', 'desk', '--strategies', 'base,lora', '--eval-size', '24', '--json');
      const { runId } = JSON.parse(begun.stdout) as { runId: string };
      await eventually(async () => expect(await jobsOf(runId)).toEqual(['running']), 2 * minute);

      // However fast the machine is, both servers die and come back while the job is in its training.
      const release = holdTraining(inject('modelServerUrl'));
      try {
        for (const service of ['Temporal server', 'PostgreSQL server']) {
          const before = pidOf(service);
          process.kill(before, 'SIGKILL');
          await eventually(() => expect(pidOf(service)).not.toBe(before), minute);
        }
        expect(await jobsOf(runId)).toEqual(['running']);
      } finally {
        release();
      }

      const run = await eventually(async () => {
        const { stdout } = await flywheel('show', runId, '--json');
        const shown = JSON.parse(stdout) as RunView;
        expect(shown.status).not.toBe('running');
        return shown;
      }, 4 * minute);
      expect(run.status).toBe('completed');
      expect(run.experiments.map(({ status, n }) => ({ status, n }))).toEqual([
        { status: 'succeeded', n: 24 },
        { status: 'succeeded', n: 24 },
      ]);
      expect(await jobsOf(runId)).toEqual(['succeeded']);
    },
    8 * minute,
  );

  it(
    'is ended by stop, which may be said twice',
    async () => {
      const first = await flywheel('stop', '--json');
      const second = await flywheel('stop', '--json');

      expect(JSON.parse(first.stdout)).toMatchObject({ stopped: true });
      expect(JSON.parse(second.stdout)).toMatchObject({ stopped: false });
      expect(processesOf(home)).toEqual([]);
    },
    2 * minute,
  );

  function startDev(): Promise<void> {
    supervisor = spawn(process.execPath, [bin, 'dev'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    said = '';
    return new Promise((resolve, reject) => {
      const listen = (chunk: Buffer) => {
        said += chunk.toString('utf8');
        if (said.includes('Ctrl-C stops everything')) resolve();
      };
      supervisor.stdout?.on('data', listen);
      supervisor.stderr?.on('data', listen);
      supervisor.once('exit', () => reject(new Error(`it ended before it was ready:\n${said}`)));
    });
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => {
      supervisor.once('exit', (code) => resolve(code));
    });
    supervisor.kill(signal);
    return ended;
  }

  async function jobsOf(runId: string): Promise<string[]> {
    const reply = await fetch(`${inject('modelServerUrl')}/v1/fine_tuning/jobs?limit=100`);
    const { data } = (await reply.json()) as { data: { status: string; metadata: { run_id?: string } }[] };
    return data.filter((job) => job.metadata.run_id === runId).map((job) => job.status);
  }

  function pidOf(service: string): number {
    return servicesOf(home)[service]?.pid ?? 0;
  }

  function servicePids(): number[] {
    return Object.values(servicesOf(home)).map(({ pid }) => pid);
  }

  async function doctor(): Promise<{ code: number; report: Doctor }> {
    const { code, stdout } = await flywheel('doctor', '--json');
    return { code, report: JSON.parse(stdout) as Doctor };
  }

  async function flywheel(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const run = promisify(execFile)(process.execPath, [bin, ...args], { env });
    return run.then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
        code,
        stdout,
        stderr,
      }),
    );
  }
});

function servicesOf(home: string): Record<string, { pid: number }> {
  const record = JSON.parse(readFileSync(join(home, 'stack.json'), 'utf8')) as {
    services: Record<string, { pid: number }>;
  };
  return record.services;
}
