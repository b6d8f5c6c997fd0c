import { strFromU8, unzipSync } from 'fflate';
import type { EvaluatedRow } from '../../activities/ports/evaluator.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import { isJsonObject, jsonProblem } from '../../domain/json.ts';
import { SampleRow } from './evaluation.schema.ts';

interface Name {
  readonly provider: string;
  readonly jobId: string;
}

/**
 * The rows of ours in a job's archive: `results.json` holds, by task, what was asked, answered and scored. Samples
 * that cannot be read are left out, as rows that the evaluator lost. Where none can be, that is an error, and one
 * that waiting does not mend: the job has completed, and its archive stays as it is.
 */
export function* readArchive(zip: Uint8Array, name: Name): Iterable<EvaluatedRow> {
  const content = resultsOf(zip, name);
  const samples = content === null ? null : samplesOf(content, name);
  if (samples === null) throw unusable('without a results.json of samples', name);
  const rows = samples.flatMap((sample) => {
    const parsed = SampleRow.safeParse(sample);
    return parsed.success ? [parsed.data] : [];
  });
  if (rows.length === 0) {
    throw unusable(
      `of ${samples.length} samples that cannot be read: item and sample are expected in each`,
      name,
    );
  }
  yield* rows;
}

/** An archive that cannot be opened was mostly cut on its way, its directory being at the end: fetched again. */
function resultsOf(zip: Uint8Array, { provider, jobId }: Name): string | null {
  try {
    const files = unzipSync(zip, { filter: (file) => /(^|\/)results\.json$/.test(file.name) });
    const [content] = Object.values(files);
    return content === undefined ? null : strFromU8(content);
  } catch {
    const said = `${provider} gave results of evaluation job ${jobId} that are no whole archive.`;
    throw new UnavailableError(said, { kind: 'failing' });
  }
}

function samplesOf(content: string, name: Name): readonly unknown[] | null {
  try {
    const results: unknown = JSON.parse(withoutNaN(content));
    return isJsonObject(results) ? Object.values(results).flat() : null;
  } catch (error) {
    throw unusable(`whose results.json is not JSON: ${jsonProblem(error)}`, name);
  }
}

function unusable(what: string, { provider, jobId }: Name): RejectedError {
  return new RejectedError(`${provider} gave results of evaluation job ${jobId} ${what}.`);
}

/** Python writes `NaN` and `Infinity`, which are not JSON; a text that holds these words keeps them. */
function withoutNaN(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
    found.startsWith('"') ? found : 'null',
  );
}
