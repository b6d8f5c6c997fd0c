import { describe, expect, it } from 'vitest';
import { curate } from '../../../domain/datasets/curate.ts';
import type { Example } from '../../../domain/datasets/dataset.ts';
import { createRedactor } from '../../../domain/policies/redact.ts';
import { aRecord } from '../../support/records.ts';

const all = { kinds: ['email', 'phone', 'card'], patterns: { employee_id: 'EMP-\\d{6}' } } as const;

function anExample(text: string, fields: Partial<Example> = {}): Example {
  return {
    recordId: 'r1',
    group: 'r1',
    label: 'plain',
    messages: [{ role: 'user', content: text }],
    tools: [],
    target: { kind: 'text', text: 'noted' },
    ...fields,
  };
}

function redacted(text: string): string | null | undefined {
  return createRedactor(all)?.(anExample(text)).messages[0]?.content;
}

describe('redaction', () => {
  it.each([
    ['Write to ana.lopez+x@mail.example.co.uk, please.', 'Write to [email], please.'],
    ['jürgen@müller.example', '[email]'],
    ['Card 4111 1111 1111 1111 or 5500-0000-0000-0004', 'Card [card] or [card]'],
    ['4111 1111 1111 1111 12/27', '[card] 12/27'],
    ['4111 1111 1111 1111 123', '[card] 123'],
    ['5500-0000-0000-0004 12/27 CVV 123', '[card] 12/27 CVV 123'],
    ['visa-4111111111111111', 'visa-[card]'],
    ['No.4111111111111111-', 'No.[card]-'],
    ['4111 1111 1111 1111 5500 0000 0000 0004', '[card] [card]'],
    ['4111111111111111 12345', '[card] 12345'],
    ['Call +49 (0)30 1234567 or (415) 555-0134.', 'Call [phone] or [phone].'],
    ['415-555-0134 and 415.555.0134', '[phone] and [phone]'],
    ['I am EMP-123456', 'I am [employee_id]'],
  ])('blanks out %s', (text, expected) => {
    expect(redacted(text)).toBe(expected);
  });

  it.each([
    'Order 4111 1111 1111 1112 came on 2026-01-31 10:30.',
    'Version 1.2.3, 10 % off, from 192.168.0.1:8080, total 1,234,567.89',
    'total 12.4111111111111111, part 7-4111111111111111, id 41111111111111111111111',
    'user@localhost, @ana, a @ b',
    'rec_0123456789abcdef0123456789abcdef',
    '',
  ])('leaves %s as it is', (text) => {
    expect(redacted(text)).toBe(text);
  });

  it('reaches arguments of calls and the target, and says how many of each it found', () => {
    const call = { name: 'notify', arguments: { to: ['a@b.example'], card: 4111111111111111, n: 3 } };
    const example = anExample('a@b.example, c@d.example', {
      label: 'notify',
      target: { kind: 'tool_calls', calls: [call] },
    });

    const made = createRedactor(all)?.(example);

    expect(made?.target).toEqual({
      kind: 'tool_calls',
      calls: [{ name: 'notify', arguments: { to: ['[email]'], card: '[card]', n: 3 } }],
    });
    expect(made?.redacted).toEqual({ card: 1, email: 3 });
  });

  it('leaves an example without a match untouched, and does nothing where nothing is asked for', () => {
    const example = anExample('hello');

    expect(createRedactor(all)?.(example)).toBe(example);
    expect(createRedactor({ kinds: [], patterns: {} })).toBeNull();
  });

  it('takes no time over a text made to take long', () => {
    const long = `${'a'.repeat(50_000)} ${'1 '.repeat(50_000)} ${'+1('.repeat(30_000)}`;

    expect(redacted(long)).toBe(long);
  });
});

describe('a curated dataset', () => {
  const records = Array.from({ length: 60 }, (_, index) => ({
    ...aRecord(`rec_${index}`, {
      request: { messages: [{ role: 'user', content: `question ${index} of user${index}@mail.example` }] },
    }),
    ingestedAt: '2026-01-02T03:04:06.000Z',
  }));
  const options = { seed: 1, validationShare: 0.1, minRecords: 20 };

  it('holds nothing of what its policy blanks out, and lists the records where it did', async () => {
    const made = await curate(records, { ...options, redaction: { kinds: ['email'], patterns: {} } });

    expect(JSON.stringify(made.splits)).not.toContain('@mail.example');
    expect(Object.values(made.splits).flat()[0]?.redacted).toEqual({ email: 1 });
    expect(made.manifest).toMatchObject({ redacted: { records: 60, found: { email: 60 } } });
    expect(made.manifest['redactedRecords']).toHaveLength(60);
  });

  it('is the same as ever without one', async () => {
    const plain = await curate(records, options);
    const none = await curate(records, { ...options, redaction: { kinds: [], patterns: {} } });

    expect(none.hash).toBe(plain.hash);
    expect(plain.manifest).not.toHaveProperty('redacted');
  });
});
