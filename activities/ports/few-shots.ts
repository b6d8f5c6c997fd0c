import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import type { Json } from '../../domain/json.ts';

/** What a serving puts into a request beside the caller's own messages. Evaluator and gateway both ask it. */
export interface FewShots {
  /**
   * The few-shot text for these messages (OpenAI's form); null for a serving without. Throws what the artifact
   * store or the embedder throws: without its examples a model is not the one that was measured.
   */
  textFor(serving: ServingSpec, messages: readonly Json[], signal?: AbortSignal): Promise<string | null>;
}
