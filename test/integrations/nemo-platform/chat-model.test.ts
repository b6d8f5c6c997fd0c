import { beforeAll, describe, expect, it } from 'vitest';
import { createChatModel } from '../../../integrations/nemo-platform/chat-model.ts';
import { createModelsClient } from '../../../integrations/nemo-platform/models.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { createTransport } from '../../../integrations/nemo-platform/transport.ts';
import { describeChatModel } from '../../contracts/chat-model.contract.ts';
import { eventually } from '../../support/eventually.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';

let settings: NemoPlatformSettings;
beforeAll(async () => {
  settings = await aWorkspace();
}, 300_000);

describeChatModel('NeMo Platform', async () => {
  return { chatModel: createChatModel(settings), model: 'flywheel/nano-1m' };
});

describe('a model at NeMo Platform', () => {
  it('is not taken for served while the gateway lists its route and knows nobody who serves it', async () => {
    const transport = createTransport(settings);
    const models = createModelsClient(transport);
    const model = { workspace: settings.workspace, name: 'flywheel-served-by-nobody' };
    await models.ensureVirtualModel(model);
    await eventually(async () => expect(await models.isForgotten(model)).toBe(false), 120_000);

    const served = await createChatModel(settings).isServed(model.name);
    await models.removeVirtualModel(model);

    expect(served).toBe(false);
  }, 300_000);
});
