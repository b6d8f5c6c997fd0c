import { createChatModel } from '../../../integrations/nemo-platform/chat-model.ts';
import { describeChatModel } from '../../contracts/chat-model.contract.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';

describeChatModel('NeMo Platform', async () => {
  return { chatModel: createChatModel(await aWorkspace()), model: 'flywheel/nano-1m' };
});
