import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from '../../config/config.ts';

it.each(['workers/workflow-worker.ts', 'server/main.ts', 'cli/setup/main.ts', 'cli/setup/migrate.ts'])(
  '%s ends with 2 when a setting cannot be used, so that nothing starts it again and again',
  (entry) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', join(repositoryRoot, entry)],
      { env: { ...process.env, FLYWHEEL_HOMME: 'x' }, encoding: 'utf8' },
    );

    expect(status).toBe(2);
    expect(stdout + stderr).toContain('FLYWHEEL_HOME');
    expect(stdout + stderr).not.toMatch(/\n\s+at /);
  },
  // Compiling it all takes a second, and half a minute where others compile as well.
  180_000,
);
