import type { Feedback } from '../../domain/feedback/feedback.ts';
import { parseFeedback } from '../../domain/feedback/parse.ts';
import type { JsonObject } from '../../domain/json.ts';

/** Feedback on `rec_1`, from its wire form. */
export function aFeedback(wire: JsonObject): Feedback {
  const parsed = parseFeedback({ record_id: 'rec_1', client_id: 'web', ...wire });
  if (!parsed.ok) throw new Error(`${parsed.reason}: ${parsed.detail}`);
  return parsed.feedback;
}
