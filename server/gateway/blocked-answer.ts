import type { JsonObject } from '../../domain/json.ts';

/** Fixed, so that an application may know it; what the model said, and the rule, are not its caller's to see. */
const sentence = 'This answer was blocked by the guardrails of this service.';

/** The completion that a caller gets instead: OpenAI's own word for an answer that was filtered. */
export function blockedCompletion({ id, created, model, usage }: JsonObject): JsonObject {
  return {
    ...(id !== undefined && { id }),
    object: 'chat.completion',
    ...(created !== undefined && { created }),
    ...(model !== undefined && { model }),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: sentence, refusal: null },
        logprobs: null,
        finish_reason: 'content_filter',
      },
    ],
    // They were used, whoever reads the answer.
    ...(usage !== undefined && { usage }),
  };
}

/** As one body, or as the stream that the caller asked for. */
export function blockedBody(completion: JsonObject, streams: boolean): string {
  if (!streams) return JSON.stringify(completion);
  const { usage, choices: _choices, ...head } = completion;
  const chunk = (choices: object[], more: object = {}) =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
  return [
    chunk([{ index: 0, delta: { role: 'assistant', content: sentence }, finish_reason: null }]),
    chunk([{ index: 0, delta: {}, finish_reason: 'content_filter' }]),
    ...(usage === undefined ? [] : [chunk([], { usage })]),
    'data: [DONE]\n\n',
  ].join('');
}
