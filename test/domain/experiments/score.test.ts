import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../../domain/experiments/read-answer.ts';
import { rougeL } from '../../../domain/experiments/rouge.ts';
import { scoreItem } from '../../../domain/experiments/score.ts';
import type { JsonObject } from '../../../domain/json.ts';
import type { Target } from '../../../domain/records/chat.ts';
import { calls, says } from '../support.ts';

const tools = [{ name: 'w2' }, { name: 'payday' }];

function target(...made: [string, JsonObject][]): Target {
  return { kind: 'tool_calls', calls: made.map(([name, given]) => ({ name, arguments: given })) };
}

function answered(response: JsonObject): Target | null {
  const answer = readAnswer(response);
  return answer.ok ? answer.answer : null;
}

describe('scoreItem', () => {
  it.each<[string, Target, JsonObject, [number, number]]>([
    [
      'equal arguments in another order and spelling',
      target(['w2', { a: 1, b: 'x' }]),
      calls(['w2', '{"b":"x","a":1.0}']),
      [1, 1],
    ],
    ['the right tool with other arguments', target(['w2', { a: 1 }]), calls(['w2', { a: 2 }]), [0, 1]],
    ['an argument too many', target(['w2', {}]), calls(['w2', { a: 1 }]), [0, 1]],
    ['another tool', target(['w2', {}]), calls(['payday', {}]), [0, 0]],
    ['text instead of a call', target(['w2', {}]), says('Hm.'), [0, 0]],
    [
      'parallel calls in another order',
      target(['w2', { a: 1 }], ['payday', {}]),
      calls(['payday', {}], ['w2', { a: 1 }]),
      [1, 1],
    ],
    [
      'parallel calls of one tool, swapped',
      target(['w2', { a: 1 }], ['w2', { a: 2 }]),
      calls(['w2', { a: 2 }], ['w2', { a: 1 }]),
      [1, 1],
    ],
    [
      'one call made twice instead of two',
      target(['w2', { a: 1 }], ['w2', { a: 2 }]),
      calls(['w2', { a: 1 }], ['w2', { a: 1 }]),
      [0, 1],
    ],
    ['a call too few', target(['w2', {}], ['payday', {}]), calls(['w2', {}]), [0, 0]],
    ['a call too many', target(['w2', {}]), calls(['w2', {}], ['w2', {}]), [0, 0]],
    ['arguments that are no JSON', target(['w2', {}]), calls(['w2', '{"a":']), [0, 0]],
  ])('%s', (_, wanted, response, [call, tool]) => {
    expect(scoreItem(wanted, answered(response), tools)).toEqual({
      call_accuracy: call,
      tool_accuracy: tool,
    });
  });

  it('takes any answer in text for right where no tool was, and scores its words apart', () => {
    const wanted: Target = { kind: 'text', text: 'None of the tools fits that.' };

    expect(scoreItem(wanted, { kind: 'text', text: ' None of the tools  fits that.' }, tools)).toEqual({
      call_accuracy: 1,
      tool_accuracy: 1,
      no_tool_recall: 1,
      exact_match: 1,
      rouge_l: 1,
    });
    expect(scoreItem(wanted, { kind: 'text', text: 'Sorry!' }, tools)).toMatchObject({
      call_accuracy: 1,
      exact_match: 0,
      rouge_l: 0,
    });
    expect(scoreItem(wanted, target(['w2', {}]), tools)).toMatchObject({
      call_accuracy: 0,
      no_tool_recall: 0,
      rouge_l: 0,
    });
  });

  it('scores a failure 0 on exactly the metrics that an answer would have had', () => {
    for (const wanted of [target(['w2', {}]), { kind: 'text', text: 'No.' } as const]) {
      for (const offered of [tools, []]) {
        const failed = scoreItem(wanted, null, offered);
        expect(Object.values(failed).every((score) => score === 0)).toBe(true);
        expect(Object.keys(failed)).toEqual(
          Object.keys(scoreItem(wanted, { kind: 'text', text: 'No.' }, offered)),
        );
      }
    }
  });

  it('scores plain chat by its words alone', () => {
    expect(scoreItem({ kind: 'text', text: 'a b c d' }, { kind: 'text', text: 'a x c d' }, [])).toEqual({
      exact_match: 0,
      rouge_l: 0.75,
    });
  });
});

describe('readAnswer', () => {
  it.each([
    ['refusal', { choices: [{ message: { content: null, refusal: 'No.' } }] }],
    ['unparsable', calls(['w2', 'year=2025'])],
    ['unparsable', { choices: [] }],
    ['unparsable', says('')],
  ])('tells a failure apart: %s', (failure, response) => {
    expect(readAnswer(response)).toMatchObject({ ok: false, failure });
  });
});

describe('rougeL', () => {
  it.each([
    ['the police killed the gunman', 'police kill the gunman', (2 * (3 / 5) * (3 / 4)) / (3 / 5 + 3 / 4)],
    ['Yes.', 'yes', 1],
    ['größer', 'GRÖSSER', 0],
    ['東京 は 晴れ', '東京 は 雨', 2 / 3],
    ['', 'yes', 0],
    ['?!', '...', 1],
    ['first sentence. second one', 'first sentence second one', 1],
  ])('%j against %j', (answer, reference, expected) => {
    expect(rougeL(answer, reference)).toBeCloseTo(expected, 10);
  });
});
