import { beforeAll } from 'vitest';
import { createAdapterFiles } from '../../../integrations/nemo-platform/adapter-files.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { describeAdapterFiles } from '../../contracts/adapter-files.contract.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';
import { anAdapter } from '../../support/nemo-platform-adapter.ts';

let settings: NemoPlatformSettings;
let model: string;
beforeAll(async () => {
  settings = await aWorkspace();
  model = await anAdapter(settings, 'export');
}, 600_000);

describeAdapterFiles('NeMo Platform', async () => ({ files: createAdapterFiles(settings), model }));
