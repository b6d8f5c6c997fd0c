import { judgeByChat } from '../../../activities/judge-by-chat.ts';
import { createChatModel } from '../../../integrations/openai/chat-model.ts';
import { describeJudge } from '../../contracts/judge.contract.ts';

describeJudge('A chat endpoint', async ({ baseUrl }) => {
  const chatModel = createChatModel({ name: 'judges', baseUrl, apiKey: null });
  return judgeByChat(chatModel, { concurrency: 2, timeoutMs: 30_000, backoffMs: 1 });
});
