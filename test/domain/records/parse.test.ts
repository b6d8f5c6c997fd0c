import { describe, expect, it } from 'vitest';
import { parseRecord } from '../../../domain/records/parse.ts';
import { calls, says, stored, wireRecord } from '../support.ts';

describe('parseRecord', () => {
  it('keeps request and response exactly as they came', () => {
    const request = {
      model: 'big',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }], name: 'ann' }],
      tools: null,
      top_k: 3,
    };
    const response = {
      id: 'x',
      model: 'big-0613',
      choices: [
        { index: 0, message: { role: 'assistant', content: 'a' } },
        { index: 1, message: { role: 'assistant', content: 'b' } },
      ],
      vendor: { cached: true },
    };

    const record = stored({ request, response });

    expect(record.request).toEqual(request);
    expect(record.response).toEqual(response);
    expect(record.model).toBe('big-0613');
  });

  it('keeps unknown fields, and reads those it knows', () => {
    const record = stored({
      conversation_id: 'k1',
      latency_ms: 12.5,
      model: 'named',
      response_source: 'gold',
      tenant: 'eu',
      consent: { training: true },
    });

    expect(record).toMatchObject({
      conversationId: 'k1',
      latencyMs: 12.5,
      model: 'named',
      responseSource: 'gold',
    });
    expect(record.extra).toEqual({ tenant: 'eu', consent: { training: true } });
  });

  it('takes a null for a field that was left out', () => {
    const record = stored({
      id: null,
      conversation_id: null,
      latency_ms: null,
      model: null,
      response_source: null,
    });

    expect(record.responseSource).toBe('production');
    expect(record).not.toHaveProperty('conversationId');
    expect(record).not.toHaveProperty('latencyMs');
    expect(record.id).toMatch(/^rec_[0-9a-f]{32}$/);
  });

  it('uses a given id', () => {
    expect(stored({ id: 'call-7' }).id).toBe('call-7');
  });

  it('makes the same id for the same call, however its keys are ordered and its time is written', () => {
    const wire = wireRecord({ timestamp: '2026-03-01T12:00:00Z' });
    const reversed = Object.fromEntries(Object.entries(wire).reverse());

    const first = parseRecord(wire);
    const second = parseRecord({ ...reversed, timestamp: 1_772_366_400 });

    expect(first.ok && second.ok && first.record.id === second.record.id).toBe(true);
  });

  it('makes another id for the same call at another time or of another client', () => {
    const ids = new Set([
      stored().id,
      stored({ timestamp: '2026-03-01T12:00:01Z' }).id,
      stored({ client_id: 'c2' }).id,
      stored({ response: says('No.') }).id,
    ]);

    expect(ids.size).toBe(4);
  });

  it('lets the record win over the defaults', () => {
    const { workload_id: _, ...withoutWorkload } = wireRecord();

    const parsed = parseRecord(withoutWorkload, { workloadId: 'w', clientId: 'other', timestamp: 0 });

    expect(parsed).toMatchObject({ ok: true, record: { workloadId: 'w', clientId: 'c1' } });
  });

  it.each([
    ['text', 'not_an_object', 'text'],
    ['a list', 'not_an_object', []],
    ['no workload', 'missing_workload_id', { ...wireRecord(), workload_id: undefined }],
    ['an empty workload', 'invalid_workload_id', wireRecord({ workload_id: '' })],
    ['control characters in a name', 'invalid_client_id', wireRecord({ client_id: 'a\nb' })],
    ['a shell’s words in a workload', 'invalid_workload_id', wireRecord({ workload_id: 'hr$(reboot)' })],
    ['an option as a workload', 'invalid_workload_id', wireRecord({ workload_id: '--json' })],
    ['more than 200 characters', 'invalid_client_id', wireRecord({ client_id: 'c'.repeat(201) })],
    ['no time', 'missing_timestamp', wireRecord({ timestamp: null })],
    ['a time out of range', 'invalid_timestamp', wireRecord({ timestamp: 12 })],
    ['no request', 'missing_request', wireRecord({ request: null })],
    ['a request that is text', 'invalid_request', wireRecord({ request: 'hi' })],
    ['no messages', 'invalid_request', wireRecord({ request: { messages: [] } })],
    ['a role that nobody has', 'invalid_request', wireRecord({ request: { messages: [{ role: 'robot' }] } })],
    ['no choices', 'invalid_response', wireRecord({ response: { error: { message: 'overloaded' } } })],
    ['empty choices', 'invalid_response', wireRecord({ response: { choices: [] } })],
    ['an unknown source', 'invalid_response_source', wireRecord({ response_source: 'guess' })],
    ['a negative latency', 'invalid_latency_ms', wireRecord({ latency_ms: -1 })],
    ['a NUL character', 'invalid_text', wireRecord({ note: 'a\0b' })],
    ['half of a surrogate pair', 'invalid_text', wireRecord({ response: says('\ud83d') })],
  ])('refuses %s as %s', (_, reason, value) => {
    const parsed = parseRecord(value);

    expect(parsed).toMatchObject({ ok: false, reason });
    expect(parsed.ok ? '' : parsed.detail).not.toBe('');
  });

  it('refuses nesting that would exhaust the stack', () => {
    const bomb: unknown = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`);

    expect(parseRecord({ ...wireRecord(), bomb })).toMatchObject({ ok: false, reason: 'too_deep' });
  });

  it('keeps what only curation may judge: an empty answer, arguments that are no JSON', () => {
    expect(parseRecord(wireRecord({ response: { choices: [{ message: null }] } })).ok).toBe(true);
    expect(parseRecord(wireRecord({ response: calls(['payday', '{"year":']) })).ok).toBe(true);
  });
});
