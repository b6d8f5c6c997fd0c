import { defineConfig } from 'vitest/config';

/** Plain tests: no server, no process but their own. */
const unit = [
  'test/*.test.ts',
  'test/{domain,config,samples,sdk,production}/**/*.test.ts',
  'test/cli/render/**/*.test.ts',
];
/** The whole stack, with processes that are killed. */
const e2e = ['test/e2e/**/*.test.ts'];

/** Writes files instead of testing: run by name, by whoever changed a workflow (see its comment). */
const recorder = process.env.RECORD_HISTORIES ? [] : ['test/replay/record-histories.test.ts'];

/** Vitest's default, 50 ms, keeps a slow server too busy to become what is waited for. */
const poll = { interval: 500 };

export default defineConfig({
  test: {
    // Two cores: a third worker only makes the others slower.
    maxWorkers: 2,
    projects: [
      {
        test: { name: 'unit', include: unit, sequence: { groupOrder: 0 }, testTimeout: 20_000 },
      },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: [...unit, ...e2e, ...recorder],
          globalSetup: 'test/support/services.ts',
          sequence: { groupOrder: 1 },
          pool: 'forks',
          // One file at a time: the servers have two cores between them.
          fileParallelism: false,
          expect: { poll },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: e2e,
          globalSetup: 'test/support/services.ts',
          sequence: { groupOrder: 2 },
          pool: 'forks',
          fileParallelism: false,
          expect: { poll },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
