import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Outcome, readPytest, readVitest, unluckyFiles, withSecondAttempt } from './reports.ts';

function setup(contents: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'flywheel-report-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'report'), contents);
  return join(dir, 'report');
}

const junit = `<?xml version="1.0"?><testsuites><testsuite tests="4">
<testcase classname="tests.test_a" name="test_one[a-&gt;b]" time="0.1" />
<testcase classname="tests.test_a" name="test_two" time="0.1"><failure message="no">text</failure></testcase>
<testcase classname="tests.test_a" name="test_three" time="0.1"><error message="no">text</error></testcase>
<testcase classname="tests.test_a" name="test_four" time="0.1"><skipped type="pytest.skip" message="needs a GPU">x</skipped></testcase>
</testsuite></testsuites>`;

it('reads every outcome of pytest’s report, with the reason of a skip', async () => {
  const outcomes = await readPytest(setup(junit), 1);

  expect(outcomes.map(({ state }) => state)).toEqual(['passed', 'failed', 'failed', 'skipped']);
  expect(outcomes[1]).toMatchObject({ file: 'tests/test_a.py', failure: 'no' });
  expect(outcomes[3]?.title).toBe('tests.test_a::test_four (needs a GPU)');
});

it('reads every outcome of vitest’s report', async () => {
  const assertionResults = [
    { fullName: 'a works', status: 'passed' },
    { fullName: 'b works', status: 'failed' },
    { fullName: 'c works', status: 'skipped' },
    { fullName: 'd works', status: 'todo' },
  ];
  const report = { testResults: [{ name: '/x.test.ts', status: 'failed', assertionResults }] };

  const outcomes = await readVitest(setup(JSON.stringify(report)), 1);

  expect(outcomes.map(({ state }) => state)).toEqual(['passed', 'failed', 'skipped', 'skipped']);
});

it('tells why a test failed, and in which file', async () => {
  const assertionResults = [
    { fullName: 'a works', status: 'passed', failureMessages: [] },
    { fullName: 'b works', status: 'failed', failureMessages: ['Error: busy'] },
  ];
  const report = { testResults: [{ name: '/x.test.ts', status: 'failed', assertionResults }] };

  expect(await readVitest(setup(JSON.stringify(report)), 1)).toEqual([
    { title: 'a works', state: 'passed', file: '/x.test.ts' },
    { title: 'b works', state: 'failed', file: '/x.test.ts', failure: 'Error: busy' },
  ]);
});

it('counts a file that could not be loaded as a failure', async () => {
  const report = {
    testResults: [{ name: '/x.test.ts', status: 'failed', message: 'no such import', assertionResults: [] }],
  };

  expect(await readVitest(setup(JSON.stringify(report)), 1)).toEqual([
    { title: '/x.test.ts could not be run', state: 'failed', file: '/x.test.ts', failure: 'no such import' },
  ]);
});

describe('a second attempt', () => {
  const outcome = (file: string, title: string, state: Outcome['state']): Outcome => ({ file, title, state });

  it('is for the files that failed, each once', () => {
    const outcomes = [
      outcome('/a', 'one', 'failed'),
      outcome('/a', 'two', 'failed'),
      outcome('/b', 'three', 'passed'),
      outcome('/c', 'four', 'failed'),
      { title: 'vitest ended with exit code 139', state: 'failed' as const },
    ];

    expect(unluckyFiles(outcomes)).toEqual(['/a', '/c']);
  });

  it('is not for what is broken', () => {
    expect(unluckyFiles(Array.from({ length: 6 }, (_, n) => outcome(`/${n}`, 'one', 'failed')))).toEqual([]);
  });

  it('counts alone, for the whole of its files', () => {
    const crash = { title: 'vitest ended with exit code 139', state: 'failed' as const };
    const first = [
      ...[outcome('/a', 'one', 'passed'), outcome('/a', 'two', 'failed')],
      ...[outcome('/b', 'three', 'passed'), outcome('/c', 'four', 'failed'), crash],
    ];
    const second = [outcome('/a', 'one', 'failed'), outcome('/a', 'two', 'passed')];

    expect(withSecondAttempt(first, second)).toEqual([
      ...[outcome('/b', 'three', 'passed'), outcome('/c', 'four', 'failed'), crash],
      ...second,
    ]);
  });
});

it.each([readPytest, readVitest])('%s never takes a crashed runner for a success', async (read) => {
  const outcomes = await read('/nowhere/report', 139);

  expect(outcomes).toMatchObject([{ state: 'failed', title: expect.stringContaining('exit code 139') }]);
});
