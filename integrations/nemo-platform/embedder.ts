import type { Embedder } from '../../activities/ports/embedder.ts';
import { Embeddings, toVectors } from '../openai/embeddings.schema.ts';
import { referenceText, toReference } from './names.ts';
import { openAiPath } from './openai-path.ts';
import type { NemoPlatformSettings } from './settings.ts';
import { createTransport } from './transport.ts';

/** Embeddings through the platform's inference gateway, of models that are named as in `chat-model.ts`. */
export function createEmbedder(settings: NemoPlatformSettings): Embedder {
  const transport = createTransport(settings);
  const { name: provider, workspace } = settings;
  return {
    async embed({ model: named, texts, timeoutMs, signal }) {
      const model = toReference(named, workspace);
      const reply = await transport.call({
        doing: `embed with ${named}`,
        method: 'POST',
        path: `${openAiPath(model.workspace)}/embeddings`,
        body: { model: referenceText(model), input: [...texts], encoding_format: 'float' },
        timeoutMs,
        ...(signal && { signal }),
        reply: Embeddings,
      });
      return toVectors(reply, { provider, texts });
    },
  };
}
