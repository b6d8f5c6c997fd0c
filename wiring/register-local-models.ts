import type { Config } from '../config/config.ts';
import { registerModels } from '../integrations/nemo-platform/register-models.ts';
import { listModels } from '../integrations/openai/list-models.ts';

/** Makes the stack's base models answer at the NeMo Platform that it runs. Repeated, it changes nothing. */
export async function registerLocalModels(
  { modelServer }: Pick<Config, 'modelServer'>,
  { url, workspace }: NonNullable<Config['nemoPlatform']>,
): Promise<void> {
  const hostUrl = `${modelServer.url}/v1`;
  const served = await listModels({ name: 'local', baseUrl: hostUrl, apiKey: null });
  // Adapters are routed one by one, when they are deployed.
  const models = served.filter((model) => !model.startsWith('ft:'));
  await registerModels({ name: 'NeMo Platform', url, workspace, apiKey: null }, { hostUrl, models });
}
