import { beforeAll } from 'vitest';
import { createDeployer } from '../../../integrations/nemo-platform/deployer.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { describeDeployer } from '../../contracts/deployer.contract.ts';
import { answers, aWorkspace } from '../../support/nemo-platform.ts';
import { anAdapter } from '../../support/nemo-platform-adapter.ts';

let settings: NemoPlatformSettings;
let adapters: readonly [string, string];
beforeAll(async () => {
  settings = await aWorkspace();
  adapters = [await anAdapter(settings, 'first'), await anAdapter(settings, 'second')];
}, 1_200_000);

describeDeployer(
  'NeMo Platform',
  async () => {
    const baseModel = 'flywheel/nano-1m';
    const [first, second] = adapters;
    return {
      deployer: createDeployer(settings),
      target: { model: first, baseModel },
      sharing: [
        { model: first, baseModel },
        { model: second, baseModel },
      ],
      foreign: { model: baseModel, baseModel: null },
      answers: (model) => answers(settings, model),
    };
  },
  { sharing: true, foreign: true },
);
