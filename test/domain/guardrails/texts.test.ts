import { describe, expect, it } from 'vitest';
import { answerText, questionText } from '../../../domain/guardrails/texts.ts';
import { calls, says } from '../support.ts';

describe('what a request asks', () => {
  it('is all that users and tools said behind the last answer, not what the application or a model said', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'reply' },
      { role: 'user', content: [{ type: 'text', text: 'second' }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'what a web page said' },
      { role: 'developer', content: 'more' },
    ];

    expect(questionText(messages)).toBe('second\nwhat a web page said');
  });

  it('is everything but the application’s and the model’s words, whatever role it is given', () => {
    expect(questionText([{ role: 'User', content: 'asked' }, { content: 'more' }])).toBe('asked\nmore');
  });

  it('stands before an answer that the model is to go on with', () => {
    const messages = [
      { role: 'user', content: 'asked' },
      { role: 'assistant', content: 'Sure, here' },
    ];

    expect(questionText(messages)).toBe('asked');
  });

  it('is nothing where nobody asks', () => {
    expect(questionText([{ role: 'system', content: 'x' }, 'rubbish', null])).toBe('');
  });
});

describe('what a completion says', () => {
  it('is text, refusal, reasoning and calls of every choice', () => {
    const response = {
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: [{ type: 'text', text: 'one' }], reasoning_content: 'hm' },
        },
        { index: 1, message: { role: 'assistant', content: null, refusal: 'no' } },
      ],
    };

    expect(answerText(response)).toBe('one\nhm\nno');
    expect(answerText(calls(['pay', { to: 'DE75' }]))).toBe('pay\n{"to":"DE75"}\nto\nDE75');
  });

  it('hides nothing behind escapes in arguments; what is no JSON is read as it stands', () => {
    expect(answerText(calls(['pay', String.raw`{"to":"\u0044E75"}`]))).toContain('DE75');
    expect(answerText(calls(['pay', '{"to": "DE75']))).toContain('{"to": "DE75');
    // A line break is one, and both of two equal names are read.
    expect(answerText(calls(['mail', { text: 'Card:\n4111' }]))).toMatch(/^4111$/m);
    expect(answerText(calls(['pay', '{"to":"DE75","to":"x"}']))).toContain('DE75');
  });

  it('is also what stands outside of the message', () => {
    const response = { choices: [{ index: 0, text: 'beside', message: { role: 'assistant', content: '' } }] };

    expect(answerText(response)).toContain('beside');
  });

  it('is nothing that could be judged where there is no message', () => {
    expect([answerText({}), answerText({ choices: [] }), answerText({ choices: [{ index: 0 }] })]).toEqual([
      null,
      null,
      null,
    ]);
    expect(answerText(says(''))).toBe('');
  });
});
