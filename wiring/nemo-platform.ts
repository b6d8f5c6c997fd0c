import type { Config } from '../config/config.ts';
import { requireJobLoops } from '../integrations/nemo-platform/jobs.ts';
import { registerModels } from '../integrations/nemo-platform/register-models.ts';
import type { NemoPlatformSettings } from '../integrations/nemo-platform/settings.ts';
import { createTransport } from '../integrations/nemo-platform/transport.ts';
import { createClient } from '../integrations/openai/client.ts';
import { listModels } from '../integrations/openai/list-models.ts';

/** Makes the stack's base models answer at the NeMo Platform that it runs, if any. Repeated, it changes nothing. */
export async function registerLocalModels(
  { modelServer }: Pick<Config, 'modelServer'>,
  platform: Config['nemoPlatform'],
): Promise<void> {
  const settings = settingsOf(platform);
  if (settings === null) return;
  const hostUrl = `${modelServer.url}/v1`;
  const served = await listModels(createClient({ name: 'local', baseUrl: hostUrl, apiKey: null }));
  // Adapters are routed one by one, when they are deployed.
  const models = served.filter((model) => !model.startsWith('ft:'));
  await registerModels(settings, { hostUrl, models });
}

/** Throws `UnavailableError` where it does not answer, or would never start a job though it calls itself healthy. */
export async function probeNemoPlatform(platform: Config['nemoPlatform']): Promise<void> {
  const settings = settingsOf(platform);
  if (settings) await requireJobLoops(settings, createTransport(settings));
}

function settingsOf(platform: Config['nemoPlatform']): NemoPlatformSettings | null {
  return platform && { name: 'NeMo Platform', ...platform, apiKey: null };
}
