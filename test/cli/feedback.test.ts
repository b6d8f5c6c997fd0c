import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliWith, setup } from './support/cli.ts';

test('feedback is added once, and listed', async () => {
  const { run, lineage } = await setup();
  const down = ['feedback', 'add', '--record', 'rec_1', '--thumbs', 'down', '--author', 'anna'];

  const first = await run(...down, '--comment', 'wrong city', '--workload', 'hr', '--json');
  const again = await run(...down, '--comment', 'wrong city', '--workload', 'hr');
  await run('feedback', 'add', '--conversation', 'c1', '--outcome', 'resolved=true');
  const list = await run('feedback', 'list', 'hr');

  expect(first).toMatchObject({ code: 0 });
  expect(first.json()).toEqual({ id: expect.stringMatching(/^fb_/), status: 'stored' });
  expect(again.stdout).toContain('It was there already');
  expect(list.stdout).toMatch(/thumbs +down +rec_1 +hr +anna +wrong city/);
  expect(list.stdout).not.toContain('resolved');
  expect(await lineage.feedback.list({ conversationIds: ['c1'] })).toMatchObject([
    { kind: 'outcome', name: 'resolved', value: true },
  ]);
});

test('each kind can be said', async () => {
  const { run, home, lineage } = await setup();
  const [answer, messages] = [join(home, 'answer.json'), join(home, 'messages.json')];
  await writeFile(answer, '{"role":"assistant","content":"Bern"}');
  await writeFile(messages, '[{"role":"user","content":"?"},{"role":"assistant","content":"Bern"}]');

  for (const words of [
    ['--score', '0.8'],
    ['--correction', 'Bern.'],
    ['--correction', `@${answer}`],
    ['--demonstration', messages],
    ['--signal', 'retries=2'],
    ['--comment', 'thanks'],
  ])
    expect(await run('feedback', 'add', '--record', 'r', ...words)).toMatchObject({ code: 0, stderr: '' });

  const stored = await lineage.feedback.list({});
  expect(stored.map(({ kind, name, value }) => [kind, name, value]).reverse()).toEqual([
    ['score', null, 0.8],
    ['correction', null, { role: 'assistant', content: 'Bern.' }],
    ['correction', null, { role: 'assistant', content: 'Bern' }],
    [
      'demonstration',
      null,
      JSON.parse('[{"role":"user","content":"?"},{"role":"assistant","content":"Bern"}]'),
    ],
    ['signal', 'retries', 2],
    ['comment', null, null],
  ]);
});

test('a file is imported once, and bad lines are counted by reason', async () => {
  const { run, home } = await setup();
  const file = join(home, 'feedback.jsonl');
  await writeFile(
    file,
    [
      '{"conversation_id":"c1","kind":"outcome","name":"reward","value":1,"key":"k1"}',
      '{"conversation_id":"c1","kind":"outcome","name":"reward","value":0,"key":"k1"}',
      '{"record_id":"r","kind":"stars","value":5}',
      '',
      '{broken',
      '{"record_id":"r","kind":"thumbs","value":"up"}',
    ].join('\n'),
  );
  const args = ['feedback', 'import', file, '--workload', 'hr', '--client', 'crm'];
  const rejected = { conflict: 1, invalid_kind: 1, invalid_json: 1 };

  const first = await run(...args, '--json');
  const again = await run(...args);

  expect(first.json()).toEqual({ read: 5, stored: 2, duplicates: 0, rejected });
  expect(first.stderr).toContain('line 3: invalid_kind: kind must be one of thumbs');
  expect(first.stderr).toContain('line 2: conflict');
  expect(again.stdout).toContain('5 read, 0 stored, 2 duplicates, 3 rejected');
});

test.each([
  ['nothing that it is about', ['--thumbs', 'up'], /--record ID or --conversation ID/],
  ['nothing said', ['--record', 'r'], /Say something/],
  ['two things at once', ['--record', 'r', '--thumbs', 'up', '--score', '1'], /--thumbs and --score/],
  ['a bad thumb', ['--record', 'r', '--thumbs', 'sideways'], /up, down/],
  ['a bad score', ['--record', 'r', '--score', '7'], /value: /],
  ['a bad outcome', ['--record', 'r', '--outcome', 'resolved'], /NAME=VALUE/],
  ['a missing file', ['--record', 'r', '--demonstration', 'nowhere.json'], /no file nowhere.json/],
])('%s is exit code 2, with what to do', async (_, words, message) => {
  const { code, stderr } = await cliWith()('feedback', 'add', ...words);

  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

test('a key that was used for something else is an error that says so', async () => {
  const { run } = await setup();
  await run('feedback', 'add', '--record', 'r', '--thumbs', 'up', '--key', 'k');

  const { code, stderr } = await run('feedback', 'add', '--record', 'r', '--thumbs', 'down', '--key', 'k');

  expect(code).toBe(1);
  expect(stderr).toMatch(/"k" was used before/);
});
