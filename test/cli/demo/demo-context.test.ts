import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { CommandContext } from '../../../cli/command.ts';
import { demoContext } from '../../../cli/demo/demo-context.ts';
import { loadConfig } from '../../../config/config.ts';

it('keeps the demo off the servers that the environment names, and says so', () => {
  const home = mkdtempSync(join(tmpdir(), 'flywheel-demo-'));
  onTestFinished(() => {
    rmSync(home, { recursive: true, force: true });
    vi.unstubAllEnvs();
  });
  vi.stubEnv('DATABASE_URL', 'postgres://production:secret@db.example/production');
  vi.stubEnv('TEMPORAL_ADDRESS', 'temporal.example:7233');
  vi.stubEnv('FLYWHEEL_GATEWAY_PORT', '9000');
  const notes: string[] = [];
  const parent = {
    config: () => loadConfig({ home }),
    out: { note: (line: string) => notes.push(line) },
  } as unknown as CommandContext;

  const config = demoContext(parent).config();

  expect(parent.config().database.embedded).toBe(false);
  expect(config.home).toBe(join(home, 'demo'));
  expect([config.temporal.embedded, config.database.embedded, config.modelServer.embedded]).toEqual([
    true,
    true,
    true,
  ]);
  expect(config.gateway.port).toBe(8180);
  expect(notes.join()).toContain('DATABASE_URL, FLYWHEEL_GATEWAY_PORT');
  expect(notes.join()).not.toContain('secret');
});
