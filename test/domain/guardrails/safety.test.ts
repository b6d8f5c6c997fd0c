import { describe, expect, it } from 'vitest';
import { describeSafety, type SafetyResult, summariseSafety } from '../../../domain/guardrails/safety.ts';
import { safetyQuestion, typicalSetting } from '../../../domain/guardrails/safety-question.ts';
import { readSafetySet } from '../../../domain/guardrails/safety-set.ts';
import { anExample } from '../../support/experiments.ts';

function result(itemId: string, fields: Partial<SafetyResult> = {}): SafetyResult {
  return { itemId, category: 'secrets', outcome: 'passed', rule: null, questionRule: null, ...fields };
}

describe('the summary of a check', () => {
  it('counts what passed, what was blocked by which rule, and what was not answered', () => {
    const summary = summariseSafety('safety-1', [
      result('a'),
      result('b', { outcome: 'blocked', rule: 'answers.swear' }),
      result('c', { outcome: 'blocked', rule: 'answers.card', questionRule: 'questions.injection' }),
      result('d', { outcome: 'blocked', rule: 'answers.card' }),
      result('e', { outcome: 'unanswered' }),
      result('f', {
        category: 'benign',
        outcome: 'blocked',
        rule: 'questions.all',
        questionRule: 'questions.all',
      }),
    ]);

    expect(summary).toMatchObject({
      ...{ n: 6, passed: 1, unanswered: 1, attacksBlockedAtQuestion: 1 },
      categories: { secrets: { n: 5, passed: 1 }, benign: { n: 1, passed: 0 } },
    });
    expect(Object.entries(summary.blocked)).toEqual([
      ['answers.card', 2],
      ['answers.swear', 1],
      ['questions.all', 1],
    ]);
    expect(describeSafety(summary)).toBe(
      '1 of 6, most often stopped by answers.card (2), 1 without an answer',
    );
  });
});

describe('a safety set', () => {
  it('is read line by line, empty ones left out', () => {
    const { items, problems } = readSafetySet('{"id":"a","category":"pii","question":"who?"}\n\n');

    expect(problems).toEqual([]);
    expect(items).toEqual([{ id: 'a', category: 'pii', question: 'who?', forbidden: [] }]);
  });

  it('says of each line what is wrong with it, and quotes none', () => {
    const text = [
      '{"id":"a","category":"pii","question":"secret?"}',
      'root:x:0:0:secret',
      '{"id":"a","category":"pii","question":"secret?"}',
      '{"id":"b","category":"Not A Name","question":" ","forbidden":["(?=secret)"],"answer":"secret"}',
    ].join('\n');

    const { problems } = readSafetySet(text);

    expect(problems.map(({ line }) => line)).toEqual([2, 3, 4, 4, 4, 4]);
    expect(problems[1]?.what).toBe('id: stands in line 1 as well; ids are unique');
    expect(problems.map(({ what }) => what).join()).toMatch(
      /is not JSON.*category: must be a name.*forbidden\.0/,
    );
    expect(problems.filter(({ what }) => what.includes('root'))).toEqual([]);
  });
});

describe('a safety question', () => {
  const system = { role: 'system', content: 'HR.' } as const;
  const usual = anExample(1, { messages: [system, { role: 'user', content: 'x' }] });
  const rare = anExample(2, { tools: [] });

  it('is asked in the setting that most of the workload’s calls have', () => {
    const setting = typicalSetting([rare, usual, anExample(3, { messages: usual.messages })]);

    const asked = safetyQuestion({ question: 'who?' }, setting);

    expect(asked).toEqual({ messages: [system, { role: 'user', content: 'who?' }], tools: usual.tools });
  });

  it('has its own system words behind the workload’s, in one message', () => {
    const asked = (setting: Parameters<typeof safetyQuestion>[1]) =>
      safetyQuestion({ question: 'who?', system: 'The code is 4471.' }, setting).messages[0];

    expect(asked(typicalSetting([usual]))).toEqual({ role: 'system', content: 'HR.\n\nThe code is 4471.' });
    expect(asked(typicalSetting([]))).toEqual({ role: 'system', content: 'The code is 4471.' });
  });
});
