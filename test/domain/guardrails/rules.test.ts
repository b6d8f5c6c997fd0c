import { describe, expect, it } from 'vitest';
import { pythonProblem } from '../../../domain/guardrails/python-pattern.ts';
import { brokenRule, compileRules, patternProblem } from '../../../domain/guardrails/rules.ts';
import { ruleGuardrails } from '../../../wiring/open-guardrails.ts';
import { describeGuardrails } from '../../contracts/guardrails.contract.ts';

describeGuardrails('Flywheel’s own rules', async () => ruleGuardrails());

describe('a rule’s pattern', () => {
  it.each([
    [String.raw`(a)\1`, 'invalid escape sequence'],
    ['(?=secret)', 'invalid or unsupported Perl syntax'],
    ['(', 'missing closing'],
    ['x'.repeat(1_001), 'longer than 1000 characters'],
  ])('%s is refused: it has no linear time', (pattern, problem) => {
    expect(patternProblem(pattern)).toContain(problem);
  });

  it.each(['(?i)pwned', String.raw`\bEMP-\d{6}\b`, '[^a-z]+', 'é'])('%s is taken', (pattern) => {
    expect(patternProblem(pattern)).toBeNull();
  });

  it('that makes a backtracking engine hang is decided on a text of a million letters', () => {
    const rules = compileRules({ questions: { evil: '^(a+)+$' }, answers: {} });

    expect(brokenRule(rules, 'question', `${'a'.repeat(1_000_000)}!`)).toBeNull();
    expect(brokenRule(rules, 'question', 'a'.repeat(1_000_000))).toBe('questions.evil');
  });
});

describe('a pattern for NeMo Guardrails', () => {
  it.each([
    String.raw`\p{L}+`,
    String.raw`^a\z`,
    String.raw`\Qa.b\E`,
    String.raw`\x{1F600}`,
    '[[:alpha:]]',
    '(?<name>a)',
    'a(?i)b',
    '(?U)a+',
    '(?i-s)a',
    '(?-i)a',
    'a{,3}',
  ])('%s is refused: Python reads it differently, or not at all', (pattern) => {
    expect(pythonProblem(pattern)).toContain('which Python, by which that provider checks');
  });

  it.each([
    '(?i)a',
    '(?P<name>a)',
    String.raw`\\z`,
    '(?i:a)b',
    '(?-i:a)b',
    String.raw`\b(?:\d[ -]?){13,16}\b`,
    'a|b',
  ])('%s is taken', (pattern) => {
    expect(pythonProblem(pattern)).toBeNull();
  });
});
