import type { EvaluationRow } from '../../activities/ports/evaluator.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { JobPlaces } from './evaluation-jobs.ts';

/** The evaluator compares a metric's outputs with this to the letter. */
const continuousScore = {
  description: 'Continuous numeric metric value.',
  title: 'ContinuousScore',
  type: 'number',
};

/** A row as the dataset holds it. The body is one template expression away from being sent as it stands. */
export function toItem({ itemId, body, target }: EvaluationRow): JsonObject {
  const calls = toolCalls(target);
  return {
    item_id: itemId,
    body,
    kind: calls.length > 0 ? 'calls' : 'text',
    reference_calls: calls,
    reference_text: typeof target['content'] === 'string' ? target['content'] : '',
  };
}

/** The evaluator wants arguments as objects; OpenAI writes them as text. */
function toolCalls(target: JsonObject): Json[] {
  const calls = target['tool_calls'];
  if (!Array.isArray(calls)) return [];
  return calls.map((call) => {
    const { name, arguments: written } = (call as { function: { name: string; arguments: string } }).function;
    return { type: 'function', function: { name, arguments: readArguments(written) } };
  });
}

function readArguments(written: string): Json {
  try {
    return JSON.parse(written) as Json;
  } catch {
    // Compared as the text that it is.
    return written;
  }
}

/** Which of the metrics say something about a row of a kind. */
export const metricsOfKind: Readonly<Record<string, readonly string[]>> = {
  text: ['string-check'],
  calls: ['tool-calling'],
};

/** The spec of an evaluation job (`EvaluateInputSpec`). */
export function toSpec({ dataset, gatewayUrl, model }: JobPlaces) {
  return {
    dataset,
    target: { url: gatewayUrl, name: model, format: 'openai' },
    // One bare expression keeps the body's own types, and does not read templates inside of it.
    prompt_template: '{{ item.body }}',
    params: {
      parallelism: 2,
      // A row without an answer is a row without an answer, not the end of the job.
      ignore_request_failure: true,
      request_timeout: 120,
      max_retries: 2,
      // Said to be absent: left out, the whole is taken for an offline job's, and answered by a bare 500.
      inference: null,
      system_prompt: null,
    },
    metrics: [
      inlineMetric('tool-calling', ['function_name_accuracy', 'function_name_and_args_accuracy'], {
        reference: '{{ item.reference_calls }}',
      }),
      inlineMetric('string-check', ['string-check'], {
        operation: 'equals',
        left_template: '{{ item.reference_text | trim }}',
        right_template: '{{ sample.output_text | trim }}',
      }),
    ],
  };
}

/** A metric that the job brings along, with the names of what it measures. */
export function inlineMetric(type: string, outputs: readonly string[], settings: JsonObject) {
  return {
    metric_type: type,
    outputs: outputs.map((name) => ({ name, value_json_schema: continuousScore })),
    payload: { kind: 'inline', metric: { type, ...settings } },
  };
}
