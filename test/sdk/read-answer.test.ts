import { expect, test } from 'vitest';
import { firstId, readStream, readWhole } from '../../sdk/read-answer.ts';

const chunk = (delta: object, finish: string | null = null) =>
  JSON.stringify({ id: 'c1', choices: [{ index: 0, delta, finish_reason: finish }] });

test.each([
  ['\n\n', 'LF'],
  ['\r\n\r\n', 'CRLF'],
  ['\r\r', 'CR'],
])('events that end in %j are read, with comments and data in several lines', (end) => {
  const line = end.slice(0, end.length / 2);
  const [head, tail] = [chunk({ content: 'Hi' }).slice(0, 20), chunk({ content: 'Hi' }).slice(20)];
  const split = head.endsWith(',') || head.endsWith('{');
  const first = split ? `data: ${head}${line}data: ${tail}` : `data:${head}${tail}`;
  const text = [': ping', first, `event: x${line}data: ${chunk({}, 'stop')}`, 'data: [DONE]', ''].join(end);

  expect(firstId(text)).toBe('c1');
  expect(readStream(text, 'complete')).toMatchObject({
    ok: true,
    response: { choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] },
  });
});

test('a stream with an error in it, or cut short, is no answer', () => {
  const begun = `data: ${chunk({ content: 'Hi' })}\n\n`;

  expect(readStream(`${begun}data: {"error":{"message":"overloaded"}}\n\n`, 'complete')).toEqual({
    ok: false,
    reason: 'unfinished',
  });
  expect(readStream(`${begun}data: ${chunk({}, 'stop').slice(0, -9)}`, 'broken_off')).toEqual({
    ok: false,
    reason: 'unfinished',
  });
  expect(readStream('', 'complete')).toEqual({ ok: false, reason: 'unreadable' });
});

test('a whole answer must be a chat completion', () => {
  expect(readWhole('{"choices":[]}', 'complete')).toMatchObject({ ok: true });
  expect(readWhole('<html>', 'complete')).toEqual({ ok: false, reason: 'unreadable' });
  expect(readWhole('{"choi', 'broken_off')).toEqual({ ok: false, reason: 'unfinished' });
});
