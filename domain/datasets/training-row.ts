import type { JsonObject } from '../json.ts';
import { toOpenAiAnswer, toOpenAiMessage, toOpenAiTool } from '../records/to-openai.ts';
import type { Example } from './dataset.ts';

/** A row of OpenAI's fine-tuning format: the request's messages, the target as the answer, the tools. */
export function trainingRow(example: Example): JsonObject {
  return {
    messages: [...example.messages.map(toOpenAiMessage), toOpenAiAnswer(example.target)],
    ...(example.tools.length > 0 && { tools: example.tools.map(toOpenAiTool) }),
  };
}
