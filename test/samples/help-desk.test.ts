import { describe, expect, it } from 'vitest';
import { curate } from '../../domain/datasets/curate.ts';
import type { Target } from '../../domain/records/chat.ts';
import { parseRecord } from '../../domain/records/parse.ts';
import { readTarget } from '../../domain/records/parse-chat.ts';
import type { StoredRecord } from '../../domain/records/record.ts';
import { askedQuestions, demoQuestions } from '../../samples/help-desk/demo-questions.ts';
import { defaultHelpDesk, generateHelpDesk } from '../../samples/help-desk/generate.ts';
import { helpDeskTools, toolNames } from '../../samples/help-desk/tools.ts';

const rows = generateHelpDesk({ seed: 7 });
const records = rows.map((row): StoredRecord => {
  const parsed = parseRecord(row);
  if (!parsed.ok) throw new Error(`${parsed.reason}: ${parsed.detail}`);
  return { ...parsed.record, ingestedAt: '2026-01-06T00:00:00.000000Z' };
});

function question(record: StoredRecord): string {
  const messages = record.request.messages as { role: string; content: string | null }[];
  return messages
    .filter((message) => message.role === 'user')
    .map((message) => message.content)
    .join(' ');
}

function isLoopEnd(record: StoredRecord): boolean {
  return JSON.stringify(record.request).includes('"role":"tool"');
}

describe('generateHelpDesk', () => {
  it('makes the same records for the same seed, and others for another', () => {
    expect(generateHelpDesk({ seed: 7 })).toEqual(rows);
    expect(generateHelpDesk({ seed: 8 })).not.toEqual(rows);
    expect(rows).toHaveLength(defaultHelpDesk.records);
  });

  it('says of every record that it is synthetic', () => {
    expect(records.every((record) => record.extra.synthetic === true)).toBe(true);
  });

  it('has several clients, every tool, plain answers, and conversations of several turns', () => {
    const called = new Set(
      records.flatMap((record) =>
        targetOf(record).kind === 'tool_calls' ? namesOf(targetOf(record)) : ['text'],
      ),
    );
    const turns = records.length / new Set(records.map((record) => record.conversationId)).size;

    expect(called).toEqual(new Set([...toolNames, 'text']));
    expect(new Set(records.map((record) => record.clientId)).size).toBe(3);
    expect(turns).toBeGreaterThan(1.05);
    const loops = records.filter(isLoopEnd).length / records.length;
    expect(loops).toBeGreaterThan(0.05);
    expect(loops).toBeLessThan(0.2);
  });

  it('copies arguments word for word from what was asked, but for the few wrong answers', () => {
    const copied = records.map((record) => {
      const target = targetOf(record);
      const values =
        target.kind === 'text' ? [] : target.calls.flatMap((call) => Object.values(call.arguments as object));
      return values.every((value) => question(record).includes(String(value)));
    });

    expect(copied.filter((ok) => !ok).length / copied.length).toBeLessThan(defaultHelpDesk.wrongShare);
  });

  it('makes about the stated share of production’s answers wrong, and leaves all else as it is', () => {
    const right = generateHelpDesk({ seed: 11, records: 600, wrongShare: 0 });
    const tenth = generateHelpDesk({ seed: 11, records: 600, wrongShare: 0.1 });

    const changed = right.filter(
      (row, index) => JSON.stringify(row.response) !== JSON.stringify(tenth[index]?.response),
    );

    expect(tenth.map((row) => row.request)).toEqual(right.map((row) => row.request));
    expect(changed.length / right.length).toBeGreaterThan(0.06);
    expect(changed.length / right.length).toBeLessThan(0.14);
  });

  it('holds personal data, all of it at addresses and numbers that are reserved for examples', () => {
    const text = JSON.stringify(rows);
    const mails = text.match(/[\w.]+@[\w.]+/g) ?? [];
    const phones = text.match(/555-\d{4}/g) ?? [];

    expect(mails.length).toBeGreaterThan(10);
    expect(mails.every((mail) => /@example\.(com|org|net)$/.test(mail.replace(/\.$/, '')))).toBe(true);
    expect(phones.length).toBeGreaterThan(5);
    expect(phones.every((phone) => phone.startsWith('555-01'))).toBe(true);
  });

  it('asks in at most 25 words, which a small model can be trained on quickly', () => {
    const longest = Math.max(
      ...records.filter((record) => !isLoopEnd(record)).map((record) => question(record).split(/\s+/).length),
    );

    expect(longest).toBeLessThanOrEqual(25);
  });

  it('becomes a dataset: exact duplicates and conflicting answers go, near-duplicates stay in one split', async () => {
    const { splits, dropped } = await curate(records, { seed: 1, validationShare: 0.1, minRecords: 50 });

    expect(Object.keys(dropped)).toEqual(['conflicting_answer', 'duplicate']);
    expect(dropped.duplicate).toBeGreaterThan(10);
    expect(splits.eval).toHaveLength(200);
    expect(splits.train.length).toBeGreaterThan(500);
  });
});

describe('demoQuestions', () => {
  it('are fresh, offer the same tools, and know their answers', () => {
    const seen = askedQuestions(rows);
    const questions = [1, 2, 3, 4].flatMap((seed) => demoQuestions(8, { seed, seen }));

    expect(questions).toHaveLength(32);
    for (const asked of questions) {
      expect(seen.has(asked.text)).toBe(false);
      expect(asked.request.tools).toEqual(helpDeskTools);
      expect(toolNames).toContain(asked.expected.name);
      expect(
        Object.values(asked.expected.arguments).every((value) =>
          asked.text.includes(JSON.stringify(value).slice(1, -1)),
        ),
      ).toBe(true);
    }
    expect(demoQuestions(8, { seed: 3, seen })).toEqual(demoQuestions(8, { seed: 3, seen }));
    expect(new Set(demoQuestions(8, { seed: 3, seen }).map(({ text }) => text)).size).toBe(8);
  });
});

function targetOf(record: StoredRecord): Target {
  const target = readTarget(record.response);
  if (!target.ok) throw new Error(target.detail);
  return target.value;
}

function namesOf(target: Target): string[] {
  return target.kind === 'text' ? [] : target.calls.map((call) => call.name);
}
