import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importers } from '../../domain/imports/importers.ts';
import { cliWith, setup } from './support/cli.ts';

function row(n: number): string {
  return JSON.stringify({
    timestamp: 1_767_225_600 + n,
    request: { model: 'big', messages: [{ role: 'user', content: `question ${n}` }] },
    response: { model: 'big', choices: [{ message: { role: 'assistant', content: `answer ${n}` } }] },
  });
}

test('a file is imported once, bad lines are counted by reason, and again stores nothing', async () => {
  const { run, home, logStore } = await setup();
  const file = join(home, 'calls.jsonl');
  await writeFile(file, [row(1), '{broken', row(2), '{"request":{},"response":{}}', row(1)].join('\n'));
  const args = ['import', file, '--format', 'jsonl', '--workload', 'hr', '--client', 'c1', '--json'];

  const first = await run(...args);
  const second = await run(...args);

  expect(first.code).toBe(0);
  expect(first.json()).toEqual({
    read: 5,
    stored: 2,
    duplicates: 1,
    rejected: { invalid_json: 1, invalid_request: 1 },
    rejectsFile: expect.stringMatching(/calls\.jsonl-\d{8}t\d{9}z\.rejects\.jsonl$/),
  });
  expect(first.stderr).toContain('line 2: invalid_json');
  expect(second.json()).toEqual({
    read: 5,
    stored: 0,
    duplicates: 3,
    rejected: { invalid_json: 1, invalid_request: 1 },
    rejectsFile: expect.any(String),
  });
  expect(await logStore.workloads()).toMatchObject([{ workloadId: 'hr', records: 2 }]);
});

test('text output says what happened and what to do next, without escape codes', async () => {
  const { run, home } = await setup();
  const file = join(home, 'calls.jsonl');
  await writeFile(file, `${row(1)}\n${row(2)}\n`);

  const { code, stdout, stderr } = await run(
    'import',
    file,
    '--format',
    'jsonl',
    '--workload',
    'hr',
    '--client',
    'c1',
  );

  expect(code).toBe(0);
  expect(stdout).toContain('2 read, 2 stored, 0 duplicates, 0 rejected');
  expect(stdout).toContain('npx flywheel run hr --wait');
  expect(stdout + stderr).not.toContain('\u001b');
});

test('CLINC150 needs its domain, and a file that is there', async () => {
  const { run, home } = await setup();
  const file = join(home, 'data_full.json');
  const splits = Object.fromEntries(
    ['train', 'val', 'test', 'oos_train', 'oos_val', 'oos_test'].map((name) => [
      name,
      [[`${name}?`, name.startsWith('oos') ? 'oos' : 'payday']],
    ]),
  );
  await writeFile(file, JSON.stringify(splits));
  await writeFile(join(home, 'domains.json'), JSON.stringify({ work: ['payday', 'pto_balance'] }));
  const args = ['import', file, '--format', 'clinc150', '--workload', 'hr', '--client', 'c1'];

  const good = await run(...args, '--domain', 'work', '--json');
  const wrongDomain = await run(...args, '--domain', 'wrok');
  const noFile = await run(
    'import',
    `${file}.gone`,
    '--format',
    'jsonl',
    '--workload',
    'hr',
    '--client',
    'c1',
  );

  expect(good.json()).toEqual({ read: 6, stored: 6, duplicates: 0, rejected: {} });
  expect([wrongDomain.code, wrongDomain.stderr]).toEqual([
    2,
    expect.stringMatching(/no domain "wrok".*work/),
  ]);
  expect([noFile.code, noFile.stderr]).toEqual([2, expect.stringContaining('There is no file')]);
});

test('a file without one usable line is a failure', async () => {
  const { run, home } = await setup();
  const file = join(home, 'calls.jsonl');
  await writeFile(file, 'nope\n');

  const { code } = await run(
    'import',
    file,
    '--format',
    'jsonl',
    '--workload',
    'hr',
    '--client',
    'c1',
    '--json',
  );

  expect(code).toBe(1);
});

test('a conversation’s outcome is stored as feedback on it, once', async () => {
  const { run, home, lineage, logStore } = await setup();
  const file = join(home, 'episodes.json');
  const traj = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: 'hello' },
  ];
  const episodes = [
    { task_id: 0, trial: 0, reward: 1, traj },
    { task_id: 0, trial: 1, reward: 0, traj },
  ];
  await writeFile(file, JSON.stringify(episodes));
  const args = ['import', file, '--format', 'tau-bench', '--workload', 'air', '--client', 'c1', '--json'];

  const first = await run(...args);
  const second = await run(...args);
  await writeFile(file, JSON.stringify([{ ...episodes[0], reward: 0.5 }]));
  const changed = await run(...args);

  const stored = await lineage.feedback.list({ workloadId: 'air' });
  const conversations = new Set<string | undefined>();
  for await (const batch of logStore.read('air', await logStore.snapshotBound()))
    for (const record of batch) conversations.add(record.conversationId);
  expect(first.json()).toEqual({
    ...{ read: 2, stored: 2, duplicates: 0, rejected: {} },
    feedback: { stored: 2, duplicates: 0 },
  });
  expect(second.json()).toMatchObject({ stored: 0, duplicates: 2, feedback: { stored: 0, duplicates: 2 } });
  expect(changed.json()).toMatchObject({ rejected: { feedback_conflict: 1 } });
  expect(stored.map(({ kind, name, value, author }) => ({ kind, name, value, author }))).toEqual([
    { kind: 'outcome', name: 'reward', value: 0, author: 'tau-bench' },
    { kind: 'outcome', name: 'reward', value: 1, author: 'tau-bench' },
  ]);
  expect(new Set(stored.map(({ conversationId }) => conversationId ?? undefined))).toEqual(conversations);
});

test('help lists every format with an example', async () => {
  const { stdout } = await cliWith()('import', '--help');

  for (const [format, { description, example }] of Object.entries(importers)) {
    expect(stdout).toContain(`${format.padEnd(15)}${description}`);
    expect(stdout).toContain(`npx flywheel import ${example}`);
    expect(example).toContain(`--format ${format} `);
  }
});

test('each rejected row is in a file of the home, by line and reason, without what stood in it', async () => {
  const { run, home } = await setup();
  const file = join(home, 'calls.jsonl');
  const bad = Array.from({ length: 20 }, (_, n) => `{"key": "sk-secret-${n}" oops}`);
  await writeFile(file, [row(1), ...bad, row(2)].join('\n'));
  const args = ['import', file, '--format', 'jsonl', '--workload', 'hr', '--client', 'c1'];

  const json = await run(...args, '--json');
  const text = await run(...args);

  const { rejectsFile } = json.json() as { rejectsFile: string };
  const rejects = await readFile(rejectsFile, 'utf8');
  const lines = rejects.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    bad.map((_, n) => ({ line: n + 2, reason: 'invalid_json', detail: expect.stringMatching(/./) })),
  );
  expect(rejects + json.stderr).not.toContain('secret');
  expect(rejectsFile.startsWith(join(home, 'imports'))).toBe(true);
  expect((await stat(rejectsFile)).mode & 0o777).toBe(0o600);
  expect(text.stdout).toContain(`Each rejected row, by line and reason: ${home}/imports/calls.jsonl-`);
});
