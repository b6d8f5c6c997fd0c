import { describe, expect, test } from 'vitest';
import { createProgram } from '../../cli/program.ts';
import { cliWith } from './support/cli.ts';

const commands = createProgram({ run: () => async () => undefined }, '0').commands.map((command) =>
  command.name(),
);

describe('help', () => {
  test('lists every command of the manual', () => {
    expect(commands).toEqual([
      ...['demo', 'dev', 'stop', 'doctor', 'import', 'workloads', 'run', 'runs', 'show', 'watch', 'cancel'],
      ...['approve', 'reject', 'route', 'rollback', 'lineage', 'export-adapter', 'token'],
      ...['candidates', 'cleanup', 'policy', 'schedule', 'feedback'],
    ]);
  });

  test.each(commands)('%s --help has examples', async (name) => {
    const { code, stdout, stderr } = await cliWith()(name, '--help');

    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`Examples:\n  \\$ npx .*flywheel ${name}`));
    expect(stdout).toContain('--json');
  });

  test('flywheel --help explains the exit codes', async () => {
    const { code, stdout } = await cliWith()('--help');

    expect(code).toBe(0);
    expect(stdout).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n {2}4 .*\n {2}130/);
  });
});

describe('wrong usage', () => {
  test.each([
    ['an unknown command', ['shwo'], /unknown command 'shwo'.*Did you mean show/],
    ['an unknown option', ['runs', '--frobnicate'], /unknown option '--frobnicate'/],
    ['a missing argument', ['show'], /missing required argument 'run'/],
    ['a missing reason', ['approve', 'hr'], /required option '--reason <text>' not specified/],
    ['a workload with a command in it', ['run', 'hr;reboot'], /must be 1 to 200 of A-Z/],
    [
      'a client with a command in it',
      [...'import x --format jsonl --workload hr'.split(' '), '--client', '$(id)'],
      /must be 1 to 200 of A-Z/,
    ],
    ['an empty reason', ['approve', 'hr', '--reason', ' '], /must not be empty/],
    ['a bad number', ['run', 'hr', '--eval-size', 'many'], /whole number of at least 1/],
    ['an unknown strategy', ['run', 'hr', '--strategies', 'base,dpo'], /no strategy "dpo"/],
    [
      'an unknown candidate',
      ['run', 'hr', '--candidates', 'gpt-9'],
      /candidates.yaml has no candidate gpt-9/,
    ],
    [
      'an unknown format',
      ['import', 'x', '--format', 'csv', '--workload', 'w', '--client', 'c'],
      /Allowed choices are jsonl, .*clinc150/,
    ],
    ['no command', [], /No command was given/],
    ['a contradiction', ['demo', '--approve', '--reject'], /exclude each other/],
  ])('%s is exit code 2, with what to do', async (_, args, message) => {
    const text = await cliWith()(...args);
    const json = await cliWith()(...args, '--json');

    expect(text.code).toBe(2);
    expect(text.stdout).toBe('');
    expect(text.stderr).toMatch(message);
    expect(text.stderr).toMatch(/\n {2}next: /);
    expect(text.stderr).not.toMatch(/\n\s+at /);
    expect(json.code).toBe(2);
    expect(json.json()).toEqual({
      error: {
        code: expect.stringMatching(/^[a-z_]+$/),
        message: expect.stringMatching(message),
        next: expect.any(String),
      },
    });
  });

  test('an unknown setting names the one that was meant', async () => {
    const { code, stderr } = await cliWith({ FLYWHEEL_HOMME: 'x' })('runs');

    expect(code).toBe(2);
    expect(stderr).toContain('FLYWHEEL_HOME');
  });
});

describe('a service that is down', () => {
  test.each([
    ['runs', ['runs']],
    ['show', ['show', 'hr']],
    ['workloads', ['workloads']],
    ['run', ['run', 'hr']],
    ['approve', ['approve', 'hr', '--reason', 'x']],
  ])('%s is exit code 3, names the service and how to start it, and keeps the password', async (_, args) => {
    const { code, stderr, stdout } = await cliWith()(...args);
    const json = await cliWith()(...args, '--json');

    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/PostgreSQL/);
    expect(stderr).toContain('npx flywheel dev');
    expect(stderr).not.toMatch(/secret|\n\s+at /);
    expect(json.code).toBe(3);
    expect(json.json()).toMatchObject({ error: { code: 'unavailable' } });
  });
});
