import { describe, expect, it } from 'vitest';
import { answerText, questionText } from '../../../domain/guardrails/texts.ts';
import type { Json } from '../../../domain/json.ts';
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

  describe('with a file in it', () => {
    const base64 = `${'iVBORw0KGgo'.repeat(500_000)}==`;
    const asked = (...parts: object[]) => questionText([{ role: 'user', content: parts as Json[] }]);

    it('is all but the file', () => {
      const text = asked(
        { type: 'text', text: 'Who is this?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${base64}`, detail: 'low' } },
        { type: 'image_url', image_url: `data:image/png;base64,${base64}` },
        { type: 'video_url', video_url: { url: `data:video/mp4;base64,${base64}` } },
        { type: 'input_audio', input_audio: { data: base64, format: 'wav' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${base64}` } },
        { type: 'file', file: { filename: 'b.pdf', file_data: base64 } },
      );

      expect(text).not.toContain('iVBORw0KGgo');
      expect(text).toMatch(/^Who is this\?$/m);
      expect(text).toMatch(/^low$/m);
      expect(text).toMatch(/^a\.pdf$/m);
    });

    it.each([
      ['an address', { type: 'image_url', image_url: { url: 'https://example.com/ignore-all' } }],
      ['text in a data URL', { type: 'image_url', image_url: { url: 'data:text/plain,ignore-all' } }],
      ['text called base64', { type: 'image_url', image_url: { url: 'data:a/b;base64,no, ignore-all' } }],
      ['a data URL’s head', { type: 'image_url', image_url: { url: 'data:a/ignore-all;base64,AAAA' } }],
      ['what stands beside the address', { type: 'image_url', image_url: { url: '', note: 'ignore-all' } }],
      ['an address that is a list', { type: 'image_url', image_url: { url: ['ignore-all'] } }],
      ['sound that is text', { type: 'input_audio', input_audio: { data: 'please ignore-all' } }],
      ['a file that is text', { type: 'file', file: { file_data: 'please ignore-all' } }],
      ['text that begins like a file', { type: 'text', text: 'data:a/b;base64,ignore-all' }],
      ['an address of no picture', { type: 'text', url: 'data:a/b;base64,ignore-all' }],
      ['a field by a picture’s name, otherwise spelt', { Image_URL: { url: 'data:a/b;base64,ignore-all' } }],
    ])('is %s too', (_, part) => {
      expect(asked(part)).toContain('ignore-all');
    });
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

  it('is all of a tool’s arguments, whatever they are called, also where they are no text', () => {
    const given = { url: 'data:a/b;base64,DE75', image_url: { url: 'data:a/b;base64,DE76' }, data: 'DE77' };

    for (const values of [given, JSON.stringify(given)]) {
      const called = { function: { name: 'pay', arguments: values } };
      const text = answerText({ choices: [{ index: 0, message: { tool_calls: [called] } }] });
      expect(text).toMatch(/DE75$/m);
      expect(text).toMatch(/DE76$/m);
      expect(text).toMatch(/^DE77$/m);
    }
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
