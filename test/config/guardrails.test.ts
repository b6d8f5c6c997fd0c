import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/config.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadSafetySet } from '../../config/safety-set.ts';
import { noGuardrails } from '../../domain/guardrails/guardrails.ts';
import { matchesAny } from '../../domain/guardrails/rules.ts';
import { policyOf } from '../../domain/policies/policy.ts';

const candidates = `
providers:
  platform: { kind: nemo-platform, url: 'http://127.0.0.1:8095' }
  cloud: { url: 'https://cloud.example.com/v1' }
candidates: [{ name: small, model: o/s }]
`;
const item = '{"id":"a","category":"pii","question":"who is it?"}\n';

/** `files` stand beside `workloads.yaml`. */
function setup(workloads: string, files: Record<string, string> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'flywheel-guardrails-'));
  const all = { 'candidates.yaml': candidates, 'workloads.yaml': workloads, ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(dir, name), text);
  const load = () => loadConfig({ env: { FLYWHEEL_CANDIDATES: join(dir, 'candidates.yaml') } });
  const problems = (): readonly string[] => {
    try {
      load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map((problem) => problem.replace(join(dir, 'workloads.yaml'), 'FILE'));
    }
    return [];
  };
  return { dir, load, problems };
}

describe('guardrails in workloads.yaml', () => {
  it('are off where nobody speaks of them, or says null; any word of them switches them on', () => {
    const { policies } = setup(`
default: { guardrails: { answers: { card: '4111' }, enforce: true } }
workloads:
  off: { guardrails: ~ }
  more: { guardrails: { answers: { swear: bloody }, questions: { swear: bloody }, min_pass: 0.9, enforce: false } }
`).load();

    expect(setup('{}').load().policies.default.guardrails).toBeNull();
    expect(setup('default: { guardrails: {} }').load().policies.default.guardrails).toEqual(noGuardrails);
    expect(policyOf(policies, 'other').guardrails).toMatchObject({
      answers: { card: '4111' },
      enforce: true,
    });
    expect(policyOf(policies, 'off').guardrails).toBeNull();
    expect(policyOf(policies, 'more').guardrails).toEqual({
      ...{ questions: { swear: 'bloody' }, answers: { card: '4111', swear: 'bloody' } },
      ...{ provider: null, safetySet: null, minPass: 0.9, enforce: false },
    });
  });

  it.each([
    [
      'a pattern that no linear engine takes',
      String.raw`default:
  guardrails:
    answers:
      twice: '(a)\1'`,
      /^FILE:4:7 default\.guardrails\.answers\.twice: is not a regular expression of RE2/,
    ],
    [
      'more patterns than a gateway should read a text for',
      `default:\n  guardrails:\n    answers: { ${Array.from({ length: 101 }, (_, n) => `p${n}: x`).join(', ')} }`,
      /^FILE:3:5 default\.guardrails\.answers: has more than 100 patterns/,
    ],
    [
      'a provider that checks nothing',
      'default:\n  guardrails: { provider: cloud }',
      /^FILE:2:17 "cloud" is no provider of kind nemo-platform in candidates.yaml \(there: platform\)/,
    ],
    [
      'a pattern of the default that the workload’s provider would read differently',
      String.raw`default:
  guardrails: { answers: { letters: '\p{L}{9}' } }
workloads:
  hr:
    guardrails: { provider: platform }`,
      /^FILE:5:5 has \\p\{…\}, which Python, by which that provider checks, does not read as RE2 does/,
    ],
    [
      'a share of percent',
      'default:\n  guardrails: { min_pass: 90 }',
      /^FILE:2:17 default\.guardrails\.min_pass/,
    ],
    [
      'a safety set that is not there',
      'default:\n  guardrails: { safety_set: hr.jsonl }',
      /^FILE:2:17 hr.jsonl does not exist/,
    ],
    [
      'a safety set outside the folder',
      'default:\n  guardrails: { safety_set: ../../etc/passwd }',
      /^FILE:2:17 "..\/..\/etc\/passwd" must be a file in the folder of workloads.yaml/,
    ],
  ])('%s is refused, by its line', (_, workloads, problem) => {
    expect(setup(workloads).problems()).toEqual([expect.stringMatching(problem)]);
  });

  it('a safety set that is rubbish is told line by line', () => {
    const { problems } = setup('default:\n  guardrails: { safety_set: hr.jsonl }', {
      'hr.jsonl': `${item}{"id":"b"}\nnonsense\n`,
    });

    expect(problems()).toEqual([
      expect.stringMatching(/^FILE:2:17 hr.jsonl:2 category: /),
      expect.stringMatching(/^FILE:2:17 hr.jsonl:2 question: /),
      expect.stringMatching(/^FILE:2:17 hr.jsonl:3 is not JSON/),
    ]);
  });
});

describe('the safety set', () => {
  it('is the project’s own items and behind them a user’s, whose ids cannot meet', () => {
    const { dir } = setup('', { 'hr.jsonl': item });

    const { items, problems } = loadSafetySet(join(dir, 'workloads.yaml'), 'hr.jsonl');

    expect(problems).toEqual([]);
    expect(items.at(-1)).toMatchObject({ id: 'a', question: 'who is it?' });
    expect(items.slice(0, -1).every(({ id }) => id.startsWith('flywheel/'))).toBe(true);
  });

  it('has some of each kind, honest questions among them, and no question that forbids itself a polite refusal', () => {
    const { items } = loadSafetySet('/nowhere/workloads.yaml', null);
    const kinds = new Map<string, number>();
    for (const { category } of items) kinds.set(category, (kinds.get(category) ?? 0) + 1);

    expect(Object.fromEntries(kinds)).toEqual({
      ...{ prompt_injection: 5, secrets_extraction: 5, personal_data: 5 },
      ...{ harmful_request: 5, tool_abuse: 5, benign: 5 },
    });
    const refused = items.filter(({ forbidden }) =>
      matchesAny(forbidden, 'I am sorry, I cannot help with that.'),
    );
    expect(refused).toEqual([]);
    // An attack is only worth asking where something tells that it worked.
    expect(
      items.filter(({ category, forbidden }) => category !== 'benign' && forbidden.length === 0),
    ).toEqual([]);
  });
});
