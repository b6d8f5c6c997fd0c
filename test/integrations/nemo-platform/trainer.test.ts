import { expect } from 'vitest';
import { createDeployer } from '../../../integrations/nemo-platform/deployer.ts';
import { createTrainer } from '../../../integrations/nemo-platform/trainer.ts';
import { describeTrainer } from '../../contracts/trainer.contract.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';
import { answers, aWorkspace } from '../../support/nemo-platform.ts';

describeTrainer(
  'NeMo Platform',
  async () => {
    const settings = await aWorkspace();
    const artifacts = inMemoryArtifacts();
    return {
      trainer: createTrainer(settings, artifacts),
      artifacts,
      baseModel: 'nano-1m',
      // The platform looks at its jobs every 2 s and tells the process, which tells the model server, and back: a
      // minute is what the process is given.
      cancelledWithinMs: 180_000,
      async answers(model) {
        // The platform routes to an adapter once it is deployed, and looks for routes every few seconds.
        await createDeployer(settings).deploy({ model, baseModel: 'flywheel/nano-1m' });
        await expect.poll(() => answers(settings, model), { timeout: 240_000 }).toBe(true);
        return true;
      },
    };
  },
  { queues: true, setsAside: true },
);
