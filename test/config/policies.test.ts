import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/config.ts';
import { ConfigError } from '../../config/config-error.ts';
import { defaultRubric } from '../../domain/judging/judge.ts';
import { defaultPolicy, policyOf } from '../../domain/policies/policy.ts';

/** A `workloads.yaml` beside a `candidates.yaml` with `small` and `large`. */
function setup(workloads: string | null, env: Record<string, string> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'flywheel-policies-'));
  const candidates = join(dir, 'candidates.yaml');
  const file = join(dir, 'workloads.yaml');
  writeFileSync(candidates, 'candidates: [{name: small, model: o/s}, {name: large, model: o/l}]\n');
  if (workloads !== null) writeFileSync(file, workloads);
  const load = () => loadConfig({ env: { FLYWHEEL_CANDIDATES: candidates, ...env } });
  const problems = (): readonly string[] => {
    try {
      load();
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.map((problem) => problem.replace(file, 'FILE'));
      throw error;
    }
    return [];
  };
  return { file, load, problems };
}

describe('workloads.yaml', () => {
  it('need not exist: then every workload has the default policy', () => {
    const { policies } = setup(null).load();

    expect(policies).toEqual({ default: defaultPolicy, workloads: {} });
  });

  it('has a judge by provider, model and rubric, with a rubric of ours where none is given', () => {
    const { policies } = setup(
      'default: { judge: { provider: local, model: big } }\nworkloads: { hr: { judge: ~ } }\n',
    ).load();

    expect(policies.default.judge).toEqual({ provider: 'local', model: 'big', rubric: defaultRubric });
    expect(policyOf(policies, 'hr').judge).toBeNull();
    expect(setup('default:\n  judge: { provider: clod, model: m }\n').problems()).toEqual([
      expect.stringMatching(/^FILE:2:\d+ .*clod/),
    ]);
  });

  it('must exist where FLYWHEEL_WORKLOADS names it', () => {
    expect(setup(null, { FLYWHEEL_WORKLOADS: '/nowhere/w.yaml' }).problems()).toEqual([
      '/nowhere/w.yaml does not exist; FLYWHEEL_WORKLOADS names the file',
    ]);
  });

  it.each(['# nothing\n', '{}', '---\n'])('may hold no policy, as %j does: the same as none', (text) => {
    expect(setup(text).load().policies.default).toEqual(defaultPolicy);
  });

  it.each(['', ' \n\n'])('may not be empty, as %j is: it may be about to be written', (text) => {
    expect(setup(text).problems()).toEqual([
      'FILE is empty; write `{}` into it for no policies, or delete it',
    ]);
  });

  it('lays each workload over the default: maps key by key, lists whole, null takes away', () => {
    const { policies } = setup(`
default:
  threshold: 0.8
  approvers: [ana, bo]
  budgets: { cost_per_1k_calls_usd: 2, latency_p95_ms: 900 }
  prices: { small: { prompt_usd_per_1m: 0.1, completion_usd_per_1m: 0.4 } }
  schedule: { daily: "02:00", weekly: sun 03:00, timezone: Europe/Berlin }
  redaction: { kinds: [email] }
workloads:
  hr:
    threshold: 0.9
    approvers: [cy]
    budgets: { latency_p95_ms: null }
    prices: { large: { prompt_usd_per_1m: 3, completion_usd_per_1m: 9 } }
    kpi: solved without a human
    strategies: [base, lora]
    schedule: { daily: null, volume: 500 }
    redaction: { patterns: { employee_id: 'EMP-\\d{6}' } }
`).load();

    expect(policyOf(policies, 'hr')).toEqual({
      primaryMetric: 'auto',
      threshold: 0.9,
      budgets: { costPerThousandCalls: 2, latencyP95Ms: null },
      prices: { small: { prompt: 0.1, completion: 0.4 }, large: { prompt: 3, completion: 9 } },
      kpi: 'solved without a human',
      candidates: null,
      strategies: ['base', 'lora'],
      approvers: ['cy'],
      schedule: {
        daily: null,
        weekly: 'sun 03:00',
        timezone: 'Europe/Berlin',
        minNewRecords: 50,
        volume: 500,
      },
      redaction: { kinds: ['email'], patterns: { employee_id: 'EMP-\\d{6}' } },
      judge: null,
      guardrails: null,
    });
    expect(policyOf(policies, 'it').approvers).toEqual(['ana', 'bo']);
    expect(Object.isFrozen(policies.workloads['hr']?.budgets)).toBe(true);
  });

  it.each([
    [
      'a misspelt key',
      'workloads:\n  hr:\n    treshold: 0.8\n',
      'FILE:3:5 workloads.hr: unknown key "treshold"; did you mean "threshold"?',
    ],
    [
      'a misspelt key deep down',
      'default:\n  schedule:\n    dayly: "02:00"\n',
      'FILE:3:5 default.schedule: unknown key "dayly"; did you mean "daily"?',
    ],
    ['a threshold of percent', 'default:\n  threshold: 80\n', 'FILE:2:3 default.threshold'],
    [
      'a metric that there is not',
      'default:\n  primary_metric: accuracy\n',
      'FILE:2:3 default.primary_metric',
    ],
    [
      'an unknown candidate',
      'workloads:\n  hr:\n    candidates: [large, smal]\n',
      'FILE:3:25 unknown candidate "smal"; did you mean "small"?',
    ],
    [
      'a price of an unknown candidate',
      'default:\n  prices:\n    smal: { prompt_usd_per_1m: 1, completion_usd_per_1m: 1 }\n',
      'FILE:3:5 unknown candidate "smal"; did you mean "small"?',
    ],
    [
      'half a price',
      'default:\n  prices:\n    small: { prompt_usd_per_1m: 1 }\n',
      'default.prices.small.completion_usd_per_1m: is missing',
    ],
    [
      'a time that is none',
      'default:\n  schedule: { daily: "25:00" }\n',
      'FILE:2:15 default.schedule.daily: must be a time such as 02:00',
    ],
    [
      'a day that is none',
      'default:\n  schedule:\n    weekly: sunday 03:00\n',
      'must be a day and a time such as sun 03:00',
    ],
    [
      'a time zone that is none',
      'default:\n  schedule:\n    timezone: Berlin\n',
      'FILE:3:5 default.schedule.timezone: must be an IANA time zone',
    ],
    [
      'a pattern that is no regular expression',
      'default:\n  redaction:\n    patterns:\n      id: "EMP-("\n',
      'FILE:4:7 default.redaction.patterns.id: Invalid regular expression',
    ],
    [
      'a name that would not show in a text',
      'default:\n  redaction:\n    patterns:\n      "Employee Id": x\n',
      'must be a name such as employee_id',
    ],
    ['broken YAML', 'default:\n  kpi: "a\n', 'is not valid YAML'],
  ])('points at %s', (_, text, expected) => {
    const found = setup(text).problems();

    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('lists its problems beside those of the environment', () => {
    const found = setup('default: { threshold: 2 }\n', { FLYWHEEL_GATE_TTL: '90' }).problems();

    expect(found).toHaveLength(2);
  });

  it('names the line of a workload that no record can have', () => {
    expect(setup('workloads:\n  "hr; reboot": { threshold: 0.9 }\n').problems()).toEqual([
      expect.stringMatching(/^FILE:2:3 .*A workload id must be 1 to 200 of/),
    ]);
  });
});
