import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { LineageTrace } from '../../activities/ports/route-lineage.ts';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { generateHelpDesk } from '../../samples/help-desk/generate.ts';
import { eventually } from '../support/eventually.ts';
import { type Binary, flywheelBinary } from './support/binary.ts';
import { freeOffset } from './support/free-offset.ts';

const minute = 60_000;
/** About 150 records leave some 50 to train on: seconds a training. */
const records = 150;
const evalSize = 24;
const small = ['--eval-size', String(evalSize), '--seed', '1'];
const nano = ['--candidates', 'nano', ...small];

/** Small and quick, for what is tested is not how well it learns; and one that trains for minutes. */
const candidates = `
candidates:
  - name: nano
    model: nano-1m
    lora: { epochs: 2, batch_size: 8, learning_rate: 3.0e-3 }
    max_tokens: 24
  - name: slow
    model: nano-1m
    strategies: [lora]
    lora: { epochs: 100, batch_size: 8, learning_rate: 3.0e-3 }
    max_tokens: 24
`;
/** Everything is good enough for one workload, and nothing for the other: both verdicts are certain. */
const workloads = `
workloads:
  help-desk: { threshold: 0 }
  strict: { threshold: 1 }
`;

/**
 * The command line as people and scripts use it: the real binary as a process of its own each time, on a
 * stack that it started itself. The tests build on each other.
 */
describe('the loop by command line', () => {
  let home: string;
  let flywheel: Binary;
  let runId: string;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'flywheel-cli-'));
    writeFileSync(join(home, 'candidates.yaml'), candidates);
    writeFileSync(join(home, 'workloads.yaml'), workloads);
    // By flags, not by environment: what it prints to be typed next has to carry them.
    const flags = ['--home', home, '--port-offset', String(await freeOffset())];
    flywheel = flywheelBinary(flags, {
      FLYWHEEL_CANDIDATES: join(home, 'candidates.yaml'),
      FLYWHEEL_WORKLOADS: join(home, 'workloads.yaml'),
      // Shared with the other tests; everything else is the stack's own.
      MODEL_SERVER_URL: inject('modelServerUrl'),
    });
    const started = await flywheel.run('dev', '--detach', '--json');
    expect(started.json()).toMatchObject({ ready: true, home });
  }, 5 * minute);

  afterAll(async () => {
    await flywheel.run('stop');
    if (!process.env.KEEP_E2E) rmSync(home, { recursive: true, force: true });
  }, minute);

  it(
    'import counts what it took, and names the file of what it set aside',
    async () => {
      const file = join(home, 'calls.jsonl');
      const rows = generateHelpDesk({ seed: 7, records }).map((row) => JSON.stringify(row));
      writeFileSync(file, [...rows, '{"request": '].join('\n'));
      const args = ['import', file, '--format', 'jsonl', '--client', 'c1', '--json', '--workload'];

      const imported = await flywheel.run(...args, 'help-desk');

      expect(imported.code).toBe(0);
      expect(imported.json()).toEqual({
        ...{ read: records + 1, stored: records, duplicates: 0, rejected: { invalid_json: 1 } },
        rejectsFile: expect.stringContaining(join(home, 'imports', 'calls.jsonl-')),
      });
      const { rejectsFile } = imported.json() as { rejectsFile: string };
      expect(JSON.parse(readFileSync(rejectsFile, 'utf8'))).toMatchObject({ line: records + 1 });
    },
    minute,
  );

  it(
    'run starts, watch follows it line by line in a pipe, and ends with its outcome',
    async () => {
      const started = await flywheel.run('run', 'help-desk', '--strategies', 'base,lora', ...nano, '--json');
      ({ runId } = started.json() as { runId: string });
      const watched = await flywheel.run('watch', runId);

      expect(started.code).toBe(0);
      expect(started.json()).toEqual({ runId, workload: 'help-desk', state: 'started' });
      expect(watched.code).toBe(0);
      expect(watched.stdout).toMatch(/^\d\d:\d\d:\d\d {2}snapshot {2}done {2}150 records$/m);
      expect(watched.stdout).toMatch(/^\d\d:\d\d:\d\d {2}nano × lora {2}running {2}training/m);
      expect(watched.stdout).toMatch(/^\d\d:\d\d:\d\d {2}verdict {2}done {2}promote: /m);
      expect(watched.stdout).not.toContain('\u001b');
    },
    6 * minute,
  );

  it(
    'show has the run in its fixed shape, and says what to type next',
    async () => {
      const shown = await flywheel.run('show', runId, '--json');
      const page = await flywheel.run('show', 'help-desk');

      const run = shown.json() as RunView;
      expect([shown.code, page.code]).toEqual([0, 0]);
      expect(run).toMatchObject({
        ...{ runId, workload: 'help-desk', status: 'completed', synthetic: true },
        snapshot: { records },
        verdict: { outcome: 'promote', reason: expect.any(String) },
        approval: { status: 'pending' },
      });
      expect(run.experiments.map(({ strategy, status, n }) => ({ strategy, status, n }))).toEqual([
        { strategy: 'base', status: 'succeeded', n: evalSize },
        { strategy: 'lora', status: 'succeeded', n: evalSize },
      ]);
      expect(run.digest).toMatch(/^[0-9a-f]{64}$/);
      expect(flywheel.commandsIn(page.stdout)).toEqual([
        expect.stringMatching(`^npx flywheel approve ${runId} .*--home ${home} --port-offset \\d+$`),
        expect.stringMatching(`^npx flywheel reject ${runId} .*--home ${home} --port-offset \\d+$`),
      ]);
    },
    minute,
  );

  it(
    'approve, as show printed it, moves the route and waits for its proof; a second one is refused',
    async () => {
      const page = await flywheel.run('show', runId);
      const [line = ''] = flywheel.commandsIn(page.stdout);

      const approved = await flywheel.paste(`${line} --json`);
      const again = await flywheel.run('approve', runId, '--reason', 'twice', '--json');
      const route = await flywheel.run('route', 'help-desk', '--json');

      expect(approved.code).toBe(0);
      expect(approved.json()).toMatchObject({
        ...{ runId, workload: 'help-desk', status: 'approved', outcome: 'moved' },
        route: { workload: 'help-desk', previous: 'original', version: 1 },
      });
      expect(route.json()).toEqual((approved.json() as { route: unknown }).route);
      expect(again.code).toBe(1);
      expect(again.json()).toMatchObject({ error: { code: 'conflict' } });
    },
    3 * minute,
  );

  it(
    'lineage walks from the route to each record',
    async () => {
      const traced = await flywheel.run('lineage', 'help-desk', '--json');
      const text = await flywheel.run('lineage', 'help-desk');

      const trace = traced.json() as LineageTrace;
      expect(traced.code).toBe(0);
      expect(trace).toMatchObject({
        ...{ workload: 'help-desk', route: { version: 1 }, run: { runId, verdict: 'promote' } },
        approval: { reason: '…', override: false },
      });
      expect(trace.records.eval).toHaveLength(evalSize);
      expect(text.stdout).toMatch(new RegExp(`eval +${evalSize} records: `));
    },
    minute,
  );

  it(
    'rollback gives the traffic back',
    async () => {
      const back = await flywheel.run('rollback', 'help-desk', '--reason', 'enough', '--json');
      const route = await flywheel.run('route', 'help-desk', '--json');

      expect(back.code).toBe(0);
      expect(back.json()).toMatchObject({ outcome: 'moved', model: 'original', version: 2 });
      expect(route.json()).toMatchObject({ model: 'original', version: 2 });
    },
    2 * minute,
  );

  it(
    'run --wait ends by the verdict: 4 for hold; approving that needs --override; reject leaves the route',
    async () => {
      const file = join(home, 'strict.jsonl');
      const rows = generateHelpDesk({ seed: 8, records }).map(({ workload_id: _workload, ...row }) => row);
      writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
      await flywheel.run('import', file, '--format', 'jsonl', '--workload', 'strict', '--client', 'c1');

      const waited = await flywheel.run('run', 'strict', '--strategies', 'base', ...nano, '--wait', '--json');
      const approved = await flywheel.run('approve', 'strict', '--reason', 'x', '--json');
      const rejected = await flywheel.run('reject', 'strict', '--reason', 'not good enough', '--json');
      const route = await flywheel.run('route', 'strict', '--json');

      const held = waited.json() as RunView;
      expect(waited.code).toBe(4);
      expect(held).toMatchObject({ workload: 'strict', status: 'completed', verdict: { outcome: 'hold' } });
      expect(approved.code).toBe(1);
      expect(approved.json()).toMatchObject({ error: { code: 'needs_override' } });
      expect(rejected.code).toBe(0);
      expect(rejected.json()).toEqual({
        ...{ runId: held.runId, workload: 'strict', status: 'rejected', digest: held.digest },
      });
      expect(route.json()).toMatchObject({ model: 'original', version: 0 });
    },
    4 * minute,
  );

  it(
    'Ctrl-C ends watch, not the run; cancel ends the run and what it trains',
    async () => {
      const started = await flywheel.run('run', 'help-desk', '--candidates', 'slow', ...small, '--json');
      const { runId: doomed } = started.json() as { runId: string };
      await eventually(async () => {
        const { experiments } = (await flywheel.run('show', doomed, '--json')).json() as RunView;
        expect(experiments).toMatchObject([{ training: { status: 'running' } }]);
      }, 2 * minute);

      const interrupted = await flywheel.interrupted('watch', doomed);
      const cancelled = await flywheel.run('cancel', doomed, '--json');
      const watched = await flywheel.run('watch', doomed, '--json');

      expect(interrupted.code).toBe(130);
      expect(interrupted.stderr).toContain(`run ${doomed} goes on`);
      expect(cancelled.code).toBe(0);
      expect(cancelled.json()).toEqual({ runId: doomed, workload: 'help-desk', status: 'cancelled' });
      expect(watched.code).toBe(1);
      expect((watched.json() as RunView).experiments).toMatchObject([
        { status: 'cancelled', training: { status: 'cancelled' } },
      ]);
    },
    4 * minute,
  );

  it(
    'a stack that is not there is exit code 3, with the command that starts it',
    async () => {
      await flywheel.run('stop');

      const { code, json } = await flywheel.run('show', runId, '--json');

      expect(code).toBe(3);
      expect(json()).toMatchObject({
        error: { code: 'unavailable', next: expect.stringContaining(`npx flywheel dev --home ${home}`) },
      });
    },
    2 * minute,
  );
});
