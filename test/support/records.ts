import type { LogRecord } from '../../domain/records/record.ts';

/** A valid record; a test names only what it is about. */
export function aRecord(id: string, fields: Partial<LogRecord> = {}): LogRecord {
  return {
    id,
    timestamp: '2026-01-02T03:04:05.678Z',
    workloadId: 'hr',
    clientId: 'c1',
    request: { model: 'big', messages: [{ role: 'user', content: `question ${id}` }] },
    response: { choices: [{ message: { role: 'assistant', content: `answer ${id}` } }] },
    responseSource: 'production',
    extra: {},
    ...fields,
  };
}

export function manyRecords(count: number, fields: Partial<LogRecord> = {}): LogRecord[] {
  return Array.from({ length: count }, (_, index) =>
    aRecord(`rec_${String(index).padStart(6, '0')}`, fields),
  );
}
