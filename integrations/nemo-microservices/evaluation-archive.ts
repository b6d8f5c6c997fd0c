import { strFromU8, unzipSync } from 'fflate';
import type { EvaluatedRow } from '../../activities/ports/evaluator.ts';
import { UnavailableError } from '../../domain/errors.ts';
import { isJsonObject } from '../../domain/json.ts';
import { SampleRow } from './evaluation.schema.ts';

/**
 * The rows of ours in a job's archive: `results.json` holds, by task, what was asked, answered and scored. Samples
 * that cannot be read are left out, as rows that the evaluator lost; where none can be, that is an error.
 */
export function* readArchive(
  zip: Uint8Array,
  name: { provider: string; jobId: string },
): Iterable<EvaluatedRow> {
  const samples = samplesOf(zip);
  const rows = (samples ?? []).flatMap((sample) => {
    const parsed = SampleRow.safeParse(sample);
    return parsed.success ? [parsed.data] : [];
  });
  if (rows.length === 0) {
    throw new UnavailableError(
      `${name.provider} gave results of evaluation job ${name.jobId} ` +
        (samples === null
          ? 'without a results.json of samples.'
          : `of ${samples.length} samples that cannot be read: item and sample are expected in each.`),
      { kind: 'failing' },
    );
  }
  yield* rows;
}

function samplesOf(zip: Uint8Array): readonly unknown[] | null {
  const files = unzipSync(zip, { filter: (file) => /(^|\/)results\.json$/.test(file.name) });
  const [content] = Object.values(files);
  const results: unknown = content === undefined ? null : JSON.parse(withoutNaN(strFromU8(content)));
  return isJsonObject(results) ? Object.values(results).flat() : null;
}

/** Python writes `NaN` and `Infinity`, which are not JSON; a text that holds these words keeps them. */
function withoutNaN(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
    found.startsWith('"') ? found : 'null',
  );
}
