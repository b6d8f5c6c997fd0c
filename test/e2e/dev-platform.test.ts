import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { basePorts } from '../../config/config.ts';
import { eventually } from '../support/eventually.ts';
import { processesOf } from '../support/processes.ts';
import { type Binary, flywheelBinary } from './support/binary.ts';
import { freeOffset } from './support/free-offset.ts';

const minute = 60_000;

/** The tests build on each other: starting the stack is what takes long. */
describe('flywheel dev --platform nemo', () => {
  let home: string;
  let platformUrl: string;
  let flywheel: Binary;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'flywheel-dev-nemo-'));
    const portOffset = await freeOffset();
    platformUrl = `http://127.0.0.1:${basePorts.nemoPlatform + portOffset}`;
    const nemo = { kind: 'nemo-platform', url: platformUrl, customizer: 'peft' };
    const candidates = [{ name: 'nano-nemo', provider: 'nemo', model: 'nano-1m' }];
    // JSON is YAML.
    writeFileSync(join(home, 'candidates.yaml'), JSON.stringify({ providers: { nemo }, candidates }));
    flywheel = flywheelBinary(['--home', home, '--port-offset', String(portOffset)], {
      FLYWHEEL_CANDIDATES: join(home, 'candidates.yaml'),
      MODEL_SERVER_URL: inject('modelServerUrl'),
    });
  });
  afterAll(async () => {
    await flywheel?.run('stop');
    rmSync(home, { recursive: true, force: true });
  }, minute);

  it(
    'starts the platform, and makes the model server’s models answer at its gateway',
    async () => {
      const started = await flywheel.run('dev', '--platform', 'nemo', '--detach', '--json');

      expect(started.stderr).toContain('The NeMo Platform answers');
      expect(started.json()).toMatchObject({ ready: true, home });
      await expectAnswers();
    },
    6 * minute,
  );

  it(
    'restarts a platform that crashes, with all that was registered; doctor, told of no flag, finds it well',
    async () => {
      const before = pidOfPlatform();

      process.kill(before, 'SIGKILL');

      await eventually(() => expect(pidOfPlatform()).not.toBe(before), 3 * minute);
      await expectWell();
      await expectAnswers();
    },
    6 * minute,
  );

  it(
    'ends with the rest of the stack',
    async () => {
      const stopped = await flywheel.run('stop', '--json');

      expect(stopped.json()).toMatchObject({ stopped: true });
      expect(processesOf(home)).toEqual([]);
    },
    2 * minute,
  );

  async function expectWell(): Promise<void> {
    await eventually(async () => {
      const { code, json } = await flywheel.run('doctor', '--json');
      const { services } = json() as { services: { name: string; ok: boolean; address: string }[] };
      expect(services.filter(({ ok }) => !ok)).toEqual([]);
      expect(services).toContainEqual(
        expect.objectContaining({ name: 'nemo-platform', ok: true, address: platformUrl }),
      );
      expect(services.map(({ name }) => name)).toContain('candidate nano-nemo');
      expect(code).toBe(0);
    }, minute);
  }

  function pidOfPlatform(): number {
    const { services } = JSON.parse(readFileSync(join(home, 'stack.json'), 'utf8')) as {
      services: Record<string, { pid: number }>;
    };
    return services['NeMo Platform']?.pid ?? 0;
  }

  async function expectAnswers(): Promise<void> {
    await eventually(async () => expect(await answer()).toMatchObject({ model: 'flywheel/nano-1m' }), minute);
  }

  async function answer(): Promise<unknown> {
    const gateway = `${platformUrl}/apis/inference-gateway/v2/workspaces/flywheel/openai/-/v1`;
    const reply = await fetch(`${gateway}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'flywheel/nano-1m',
        messages: [{ role: 'user', content: 'hi' }],
        max_tokens: 4,
      }),
    });
    return reply.json();
  }
});
