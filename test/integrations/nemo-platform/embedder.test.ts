import { beforeAll } from 'vitest';
import { createEmbedder } from '../../../integrations/nemo-platform/embedder.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { describeEmbedder } from '../../contracts/embedder.contract.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';

let settings: NemoPlatformSettings;
beforeAll(async () => {
  settings = await aWorkspace();
}, 300_000);

describeEmbedder('NeMo Platform', async () => {
  return { embedder: createEmbedder(settings), model: 'flywheel/nano-1m' };
});
