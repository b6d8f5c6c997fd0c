import { createEmbedder } from '../../../integrations/nemo-platform/embedder.ts';
import { describeEmbedder } from '../../contracts/embedder.contract.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';

describeEmbedder('NeMo Platform', async () => {
  return { embedder: createEmbedder(await aWorkspace()), model: 'flywheel/nano-1m' };
});
