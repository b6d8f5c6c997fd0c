import { afterAll, beforeAll, expect } from 'vitest';
import { createChatModel } from '../../../integrations/nemo-microservices/chat-model.ts';
import { createDeployer } from '../../../integrations/nemo-microservices/deployer.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { describeDeployer } from '../../contracts/deployer.contract.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';
import { anAdapter } from './an-adapter.ts';

const base = 'flywheel/nano-4m';
const image = { image: `registry.example/nim/${base}`, tag: '1.8.3', gpus: 1, volumeSize: '25Gi' };
const noImage = { image: 'registry.example/nim/none', tag: '1.8.3', gpus: 1 };

let server: NemoServer;
let adapter: string;
beforeAll(async () => {
  server = await aNemoServer();
  adapter = await anAdapter(settingsOf(server), base);
}, 600_000);
afterAll(() => server.close());

describeDeployer(
  'NeMo Deployment Management v1',
  async () => {
    const settings = settingsOf(server);
    const chatModel = createChatModel(settings);
    return {
      deployer: createDeployer(settings, { [base]: image, 'flywheel/nano-broken': noImage }),
      target: { model: adapter, baseModel: base },
      sharing: [
        { model: adapter, baseModel: base },
        { model: base, baseModel: null },
      ],
      foreign: { model: 'flywheel/nano-1m', baseModel: null },
      broken: { model: 'flywheel/nano-broken', baseModel: null },
      async answers(model) {
        const body = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 4 };
        return chatModel.complete({ model, body, timeoutMs: 60_000 }).then(
          ({ response }) => response['model'] === model,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'model_not_found' });
            return false;
          },
        );
      },
    };
  },
  { sharing: true, foreign: true, broken: true },
);
