import type { Example } from '../../domain/datasets/dataset.ts';
import type { EvaluationSummary, ExperimentReport, Strategy } from '../../domain/experiments/experiment.ts';
import type { JsonObject } from '../../domain/json.ts';
import { parseRecord } from '../../domain/records/parse.ts';
import type { StoredRecord } from '../../domain/records/record.ts';

/** A valid record on the wire; `overrides` names what the test is about. */
export function wireRecord(overrides: JsonObject = {}): JsonObject {
  return {
    timestamp: '2026-03-01T12:00:00Z',
    workload_id: 'hr',
    client_id: 'c1',
    request: request('how many days off do i have'),
    response: calls(['pto_balance', {}]),
    ...overrides,
  };
}

export function request(question: string, more: JsonObject = {}): JsonObject {
  return {
    messages: [
      { role: 'system', content: 'HR.' },
      { role: 'user', content: question },
    ],
    tools,
    ...more,
  };
}

export const tools: JsonObject[] = ['pto_balance', 'payday', 'w2'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { year: { type: 'string' } } } },
}));

export function calls(...made: [string, JsonObject | string][]): JsonObject {
  const toolCalls = made.map(([name, given], index) => ({
    id: `call_${index}`,
    type: 'function',
    function: { name, arguments: typeof given === 'string' ? given : JSON.stringify(given) },
  }));
  return { choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: toolCalls } }] };
}

export function says(content: string): JsonObject {
  return { choices: [{ index: 0, message: { role: 'assistant', content } }] };
}

/** As the log store returns it. Throws when the wire form is refused. */
export function stored(overrides: JsonObject = {}): StoredRecord {
  const parsed = parseRecord(wireRecord(overrides));
  if (!parsed.ok) throw new Error(`${parsed.reason}: ${parsed.detail}`);
  return { ...parsed.record, ingestedAt: '2026-03-02T00:00:00.000000Z' };
}

export function example(overrides: Partial<Example> = {}): Example {
  return {
    recordId: 'rec_1',
    group: 'rec_1',
    label: 'payday',
    messages: [
      { role: 'system', content: 'HR.' },
      { role: 'user', content: 'when is payday' },
    ],
    tools: [{ name: 'payday' }, { name: 'w2' }],
    target: { kind: 'tool_calls', calls: [{ name: 'payday', arguments: {} }] },
    ...overrides,
  };
}

export function report(
  strategy: Strategy,
  score: number | null,
  overrides: Partial<ExperimentReport> & { metric?: string; evaluated?: Partial<EvaluationSummary> } = {},
): ExperimentReport {
  const { metric = 'call_accuracy', evaluated, ...rest } = overrides;
  const candidate = rest.candidate ?? 'nano';
  const evaluation: EvaluationSummary = {
    evaluationId: `eval-${candidate}-${strategy}`,
    n: 200,
    failed: 0,
    failures: {},
    metrics: score === null ? {} : { [metric]: score },
    latencyMs: null,
    tokens: { prompt: 0, completion: 0 },
    ...evaluated,
  };
  return {
    experimentId: `run-1/${candidate}/${strategy}`,
    role: 'challenger',
    candidate,
    strategy,
    status: score === null ? 'failed' : 'succeeded',
    serving: { provider: 'local', model: candidate, fewShotUri: null, maxTokens: 64 },
    evaluation: score === null ? null : evaluation,
    ...rest,
  };
}
