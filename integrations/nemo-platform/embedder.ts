import type { Embedder } from '../../activities/ports/embedder.ts';
import { Embeddings, toVectors } from '../openai/embeddings.schema.ts';
import { referenceText, toReference } from './names.ts';
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
        path: `/apis/inference-gateway/v2/workspaces/${encodeURIComponent(model.workspace)}/openai/-/v1/embeddings`,
        body: { model: referenceText(model), input: [...texts], encoding_format: 'float' },
        timeoutMs,
        ...(signal && { signal }),
        reply: Embeddings,
      });
      return toVectors(reply, { provider, texts });
    },
  };
}
