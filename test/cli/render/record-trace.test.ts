import pc from 'picocolors';
import { expect, test } from 'vitest';
import type { RecordTrace } from '../../../activities/ports/record-lineage.ts';
import { recordTraceText } from '../../../cli/render/record-trace.ts';
import type { StoredFeedback } from '../../../domain/feedback/feedback.ts';

const plain = pc.createColors(false);
const at = '2026-01-02T03:00:00.000Z';
const untouched: RecordTrace = { recordId: 'r1', datasets: [], adapters: [], evaluations: [], moves: [] };
const thumbs: StoredFeedback = {
  ...{ id: 'f1', hash: 'h', clientId: 'web', workloadId: 'hr', recordId: 'r1', conversationId: null },
  ...{ kind: 'thumbs', name: null, value: 'down', comment: 'wrong city', author: 'ana' },
  ...{ givenAt: null, storedAt: at },
};

test('a record’s trace shows what touched it and what was said about it', () => {
  const learned: RecordTrace = {
    ...untouched,
    datasets: [{ datasetId: 'data-1', workload: 'hr', runId: 'run-1', split: 'train', at }],
  };

  const text = recordTraceText(learned, [thumbs], plain);

  expect(text).toMatch(/data-1\s+hr\s+run-1\s+train/);
  expect(text).toMatch(/feedback\n.*\n.*thumbs\s+down\s+r1\s+hr\s+ana\s+wrong city/);
});

test('one that no dataset holds may have been spoken about all the same', () => {
  expect(recordTraceText(untouched, [thumbs], plain)).toMatch(/No dataset holds the record r1[^]*wrong city/);
  expect(recordTraceText(untouched, [], plain)).not.toContain('feedback');
});
