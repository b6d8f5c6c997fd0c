import { strToU8, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { readArchive } from '../../../integrations/nemo-microservices/evaluation-archive.ts';

const name = { provider: 'nemo', jobId: 'eval-1' };

function archiveOf(results: string) {
  return zipSync({ 'job/results.json': strToU8(results) });
}

function thrownBy(zip: Uint8Array): unknown {
  try {
    return [...readArchive(zip, name)];
  } catch (error) {
    return error;
  }
}

test('what is not a number is no score', () => {
  const results =
    '{"task": [{"item": {"item_id": "a", "note": "NaN, \\"NaN\\" and -Infinity"},' +
    ' "sample": {"response": {"choices": []}},' +
    ' "metrics": {"judge": {"scores": {"rating": {"value": NaN}, "other": {"value": 2.5}}}, "bare": -Infinity}}]}';
  const zip = archiveOf(results);

  const rows = [...readArchive(zip, name)];

  expect(rows).toEqual([
    {
      itemId: 'a',
      response: { choices: [] },
      error: null,
      metrics: { 'judge.rating': null, 'judge.other': 2.5, bare: null },
    },
  ]);
});

test.each([
  ['no archive of samples', zipSync({ 'logs.txt': strToU8('x') }), 'without a results.json of samples.'],
  ['samples of another form', archiveOf('{"task": [{"row": 1}]}'), 'of 1 samples that cannot be read: item'],
  ['a list', archiveOf('[]'), 'without a results.json of samples.'],
  [
    'no JSON',
    archiveOf('{"task": [{"item": my salary is too low}]}'),
    "whose results.json is not JSON: Unexpected token 'm'.",
  ],
])('results with %s end the evaluation: the job has completed, and they stay so', (_, zip, message) => {
  const thrown = thrownBy(zip);

  expect(thrown).toMatchObject({ name: 'RejectedError', retryable: false });
  expect(thrown).toMatchObject({
    message: expect.stringContaining(`evaluation job eval-1 ${message}`) as string,
  });
  expect(String(thrown)).not.toContain('salary');
});

test.each([
  ['cut on its way', archiveOf('{"task": []}').slice(0, -10)],
  ['empty', new Uint8Array()],
  ['a proxy’s page', strToU8('<html>Bad gateway</html>')],
])('an archive that is %s is fetched again', (_, zip) => {
  expect(thrownBy(zip)).toMatchObject({
    ...{ name: 'UnavailableError', kind: 'failing' },
    message: 'nemo gave results of evaluation job eval-1 that are no whole archive.',
  });
});
