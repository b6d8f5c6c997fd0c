import { expect, test } from 'vitest';
import { asksBeyondText } from '../../../domain/records/beyond-text.ts';

const text = { role: 'user', content: 'hi' };

test.each([
  ['text', { messages: [text] }, false],
  ['text in parts', { messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }] }, false],
  ['an image', { messages: [text, { role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }, true],
  ['a spoken answer before', { messages: [{ role: 'assistant', audio: { id: 'a' } }, text] }, true],
  ['an answer to be spoken', { messages: [text], modalities: ['text', 'audio'] }, true],
  ['an answer in text, said so', { messages: [text], modalities: ['text'] }, false],
  ['nothing that can be read', { messages: 'hi' }, false],
])('%s', (_, request, beyond) => {
  expect(asksBeyondText(request)).toBe(beyond);
});
