import type { Provider } from './provider.ts';

interface Place {
  readonly name: string;
  /** null: the model server, which stands in no file. */
  readonly provider: Provider | null;
}

/**
 * Why what one provider trains could not be served by the other (or the same), so that nobody pays for a training
 * to learn it; null where nothing is known to be in the way.
 */
export function whyNotServed(serving: Place, training: Place): string | null {
  if (serving.provider?.kind === 'vllm') return whyNotByVllm(serving, training);
  if (serving.name === training.name) {
    return serving.provider?.kind !== 'openai' || serving.provider.dialect.servesTrained
      ? null
      : `"${serving.name}" serves what it trained only once that is deployed, which Flywheel does not do there; leave lora out, or say \`serves_trained: true\` in its dialect where something else deploys it under the id that its job names`;
  }
  // An endpoint of OpenAI's kind may be a NIM, which finds its cluster's adapters by itself.
  const endpoint = serving.provider?.kind === 'openai';
  const kindOf = ({ provider }: Place) => provider?.kind ?? 'local';
  return !endpoint && kindOf(serving) !== kindOf(training)
    ? `"${serving.name}" serves what it trained itself, not what "${training.name}" did; leave \`trainer\` out`
    : null;
}

function whyNotByVllm({ name, provider }: Place, training: Place): string | null {
  if (provider?.kind === 'vllm' && provider.adapters === null)
    return `"${name}" needs a folder from which it loads them: \`adapters: { folder: … }\``;
  return training.provider?.kind === 'nemo-microservices'
    ? `"${name}" needs their files, which "${training.name}" does not hand out; a Flywheel model server and a NeMo Platform do`
    : null;
}
