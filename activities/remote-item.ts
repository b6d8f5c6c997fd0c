import type { Example } from '../domain/datasets/dataset.ts';
import type { JsonObject } from '../domain/json.ts';
import { answeredItem } from './evaluation-item.ts';
import type { EvaluatedRow } from './ports/evaluator.ts';
import type { EvaluationItem } from './ports/experiment-lineage.ts';

type TargetKind = Example['target']['kind'];

/** The names of an evaluator's metrics: it does not measure answers in calls and those in text alike. */
export type MetricNames = Readonly<Record<TargetKind, ReadonlySet<string>>>;

export function metricsByKind(
  examples: readonly Example[],
  rows: ReadonlyMap<string, EvaluatedRow>,
): MetricNames {
  const namesOf = (kind: TargetKind) =>
    new Set(
      examples
        .filter(({ target }) => target.kind === kind)
        .flatMap(({ recordId }) => Object.keys(rows.get(recordId)?.metrics ?? {})),
    );
  return { text: namesOf('text'), tool_calls: namesOf('tool_calls') };
}

/** The evaluator's answer, scored by our rules, its own metrics beside them. */
export function itemOfRow(
  example: Example,
  row: EvaluatedRow,
  { response, latencyMs, names }: { response: JsonObject; latencyMs: number | null; names: MetricNames },
): EvaluationItem {
  const item = answeredItem(example, { response, latencyMs });
  return withForeign(item, foreignScores(row, names[example.target.kind]), false);
}

/** What we were answered to a row that the evaluator has no answer to. */
export function itemAskedAgain(
  example: Example,
  asked: EvaluationItem,
  { row, latencyMs, names }: { row: EvaluatedRow | undefined; latencyMs: number | null; names: MetricNames },
): EvaluationItem {
  return withForeign({ ...asked, latencyMs }, foreignScores(row, names[example.target.kind]), true);
}

function withForeign(
  item: EvaluationItem,
  foreign: Readonly<Record<string, number>>,
  askedAgain: boolean,
): EvaluationItem {
  return { ...item, scores: { ...item.scores, ...foreign, 'evaluator/asked_again': Number(askedAgain) } };
}

/** What the evaluator made of it, 0 where it made nothing of it: every item has each metric of its kind. */
function foreignScores(row: EvaluatedRow | undefined, names: ReadonlySet<string>): Record<string, number> {
  const values = [...names].map((name) => [`evaluator/${name}`, row?.metrics[name] ?? null] as const);
  return {
    ...Object.fromEntries(values.map(([name, value]) => [name, value ?? 0])),
    'evaluator/missing': Number(row === undefined || values.some(([, value]) => value === null)),
  };
}
