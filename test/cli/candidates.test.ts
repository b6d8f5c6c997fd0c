import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { cliWith } from './support/cli.ts';

function candidatesFile(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'flywheel-candidates-')), 'candidates.yaml');
  writeFileSync(file, text);
  return file;
}

const good = `
candidates:
  - name: small
    model: nano-1m
    icl: { selection: similar }
`;
const mixed = `
providers:
  gone: { url: "http://127.0.0.1:9/v1", fine_tuning: true }
candidates:
  - { name: small, model: nano-1m, strategies: [base] }
  - { name: misnamed, model: nano-2m, strategies: [base] }
  - { name: away, provider: gone, model: m }
`;

function cli(text: string) {
  return cliWith({
    FLYWHEEL_CANDIDATES: candidatesFile(text),
    MODEL_SERVER_URL: inject('modelServerUrl'),
  });
}

test('check asks each provider what a run would need of it', async () => {
  const { code, stdout } = await cli(good)('candidates', 'check');

  expect(stdout).toMatch(/ok {4}small {2}local serves nano-1m\n/);
  expect(stdout).toMatch(/ok {4}small {2}local trains\n/);
  expect(stdout).toMatch(/ok {4}small {2}local embeds with nano-1m\n/);
  expect(code).toBe(0);
});

test('check says of each candidate what is wrong and how to mend it, and ends with 3', async () => {
  const checked = await cli(mixed)('candidates', 'check', '--json');

  expect(checked.code).toBe(3);
  expect(checked.json()).toMatchObject({
    ok: false,
    candidates: [
      { candidate: 'small', asked: 'local serves nano-1m', problem: null },
      { candidate: 'misnamed', problem: 'local does not list the model nano-2m.' },
      { candidate: 'away', asked: 'gone serves m', mend: expect.stringContaining('correct its url') },
      { candidate: 'away', asked: 'gone trains', problem: expect.stringContaining('gone') },
    ],
  });
});

test('list shows who serves and who trains', async () => {
  const { code, stdout } = await cli(mixed)('candidates', 'list');

  expect(code).toBe(0);
  expect(stdout).toMatch(/small .* nano-1m .* local .* openai .* – .* base/);
  expect(stdout).toMatch(/away .* gone .* gone .* base, icl, lora/);
});
