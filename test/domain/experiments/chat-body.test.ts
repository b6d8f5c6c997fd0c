import { describe, expect, it } from 'vitest';
import { toExample } from '../../../domain/datasets/to-example.ts';
import { chatBody, servingBody, withFewShot } from '../../../domain/experiments/chat-body.ts';
import { example, request, stored } from '../support.ts';

const serving = { fewShot: null, maxTokens: 64 };

describe('servingBody', () => {
  it('asks an example in the evaluation exactly as the route asks the same call', () => {
    const sent = request('w2 please', { tool_choice: 'required' });
    const made = toExample(stored({ request: sent }));

    for (const fewShot of [null, 'Examples:\n\nUser: a\nAssistant: b']) {
      expect(made.ok && chatBody(made.example, { fewShot, maxTokens: 64 })).toEqual(
        servingBody(sent, { fewShot, maxTokens: 64 }),
      );
    }
  });

  it('fixes the decoding, keeps the rest, and leaves the caller’s request as it was', () => {
    const body = {
      messages: [{ role: 'developer', content: 'x' }],
      temperature: 1.5,
      top_p: 0.1,
      n: 3,
      seed: 4,
      stop: ['.'],
      user: 'u',
    };
    const before = structuredClone(body);

    expect(servingBody(body, serving)).toEqual({
      messages: [{ role: 'system', content: 'x' }],
      stop: ['.'],
      user: 'u',
      temperature: 0,
      max_completion_tokens: 64,
    });
    expect(body).toEqual(before);
  });

  it.each([
    [{ max_tokens: 10 }, 10],
    [{ max_completion_tokens: 12, max_tokens: 10 }, 12],
    [{ max_tokens: 4000 }, 64],
    [{ max_tokens: 'many' }, 64],
    [{ max_tokens: 0 }, 64],
  ])('bounds the answer: %j → %i', (asked, expected) => {
    expect(servingBody({ messages: [], ...asked }, serving)).toMatchObject({
      max_completion_tokens: expected,
    });
  });
});

describe('withFewShot', () => {
  it.each([
    [
      'after the system text',
      [{ role: 'system', content: 'HR.' }],
      [{ role: 'system', content: 'HR.\n\nE' }],
    ],
    [
      'as one more part',
      [{ role: 'system', content: [{ type: 'text', text: 'HR.' }] }],
      [
        {
          role: 'system',
          content: [
            { type: 'text', text: 'HR.' },
            { type: 'text', text: '\n\nE' },
          ],
        },
      ],
    ],
    [
      'in front where there is no system message',
      [{ role: 'user', content: 'hi' }],
      [
        { role: 'system', content: 'E' },
        { role: 'user', content: 'hi' },
      ],
    ],
    ['in an empty system message', [{ role: 'system', content: null }], [{ role: 'system', content: 'E' }]],
  ])('adds the text %s', (_, messages, expected) => {
    expect(withFewShot(messages, 'E')).toEqual(expected);
  });
});

it('asks plain chat without tools', () => {
  expect(chatBody(example({ tools: [] }), serving)).not.toHaveProperty('tools');
});
