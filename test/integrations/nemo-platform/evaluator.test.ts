import { createChatModel } from '../../../integrations/nemo-platform/chat-model.ts';
import { createEvaluator } from '../../../integrations/nemo-platform/evaluator.ts';
import { describeEvaluator } from '../../contracts/evaluator.contract.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';

describeEvaluator('NeMo Platform', async () => {
  const settings = await aWorkspace();
  const chatModel = createChatModel(settings);
  return {
    evaluator: createEvaluator(settings),
    model: 'flywheel/nano-1m',
    // As text: "NaN".
    scoreOfCallForText: null,
    async ask(body) {
      const { response } = await chatModel.complete({ model: 'flywheel/nano-1m', body, timeoutMs: 60_000 });
      return response;
    },
  };
});
