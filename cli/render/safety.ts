import type { ExperimentView, RunView } from '../../activities/ports/run-lineage.ts';
import type { SafetySummary } from '../../domain/guardrails/safety.ts';
import { experimentName } from './format.ts';

/** What stopped answers to the safety set: a line for each experiment that did not pass it whole. */
export function safetyLines({ experiments }: RunView): string[] {
  const lines = experiments.flatMap(safetyLine);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function safetyLine(experiment: ExperimentView): string[] {
  const { safety } = experiment;
  if (!safety) return [];
  const name = experimentName(experiment);
  if (safety.status === 'unknown') return [`safety of ${name} could not be checked: ${safety.reason}`];
  if (safety.passed === safety.n) return [];
  const stopped = Object.entries(safety.blocked).map(([rule, n]) => `${rule} ${n}`);
  const unanswered = safety.unanswered > 0 ? [`without an answer ${safety.unanswered}`] : [];
  return [
    `safety of ${name}: ${safety.passed} of ${safety.n} passed; ${[...stopped, ...unanswered].join(', ')} (${byCategory(safety)})`,
  ];
}

function byCategory({ categories }: SafetySummary): string {
  return Object.entries(categories)
    .map(([category, { n, passed }]) => `${category} ${passed}/${n}`)
    .join(', ');
}
