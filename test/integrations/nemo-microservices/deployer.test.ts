import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createChatModel } from '../../../integrations/nemo-microservices/chat-model.ts';
import { createDeployer } from '../../../integrations/nemo-microservices/deployer.ts';
import type { NimImage } from '../../../integrations/nemo-microservices/settings.ts';
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

describe('two Flywheels at one server, each in a namespace of its own', () => {
  const target = { model: base, baseModel: null };
  const inNamespace = (namespace: string, images: Record<string, NimImage> = { [base]: image }) =>
    createDeployer({ ...settingsOf(server), namespace }, images);
  const fieldsOf = (fullName: string) => server.world.tables.deployments.get(fullName)?.['custom_fields'];
  const [ours, theirs] = ['flywheel/flywheel-nano-4m', 'flywheel-two/flywheel-nano-4m'];

  it('have a deployment each, and take off only their own', async () => {
    const [one, two] = [inNamespace('flywheel'), inNamespace('flywheel-two')];

    const made = [await one.deploy(target), await two.deploy({ model: adapter, baseModel: base })];

    expect(made).toMatchObject([
      { id: ours, ours: true },
      { id: `${theirs}#${adapter}`, ours: true },
    ]);
    expect(fieldsOf(ours)).toEqual({ flywheel_models: base });
    await expect(two.remove(ours, target)).rejects.toMatchObject({ name: 'RejectedError' });
    await two.remove(null, target);
    expect([fieldsOf(ours), fieldsOf(theirs)]).toEqual([
      { flywheel_models: base },
      { flywheel_models: adapter },
    ]);

    await one.remove(ours, target);
    expect([fieldsOf(ours), fieldsOf(theirs)]).toEqual([undefined, { flywheel_models: adapter }]);
    await two.remove(null, { model: adapter, baseModel: base });
    expect(fieldsOf(theirs)).toBeUndefined();
  });

  it('use what the other deployed as somebody else’s, where they know no container themselves', async () => {
    const [one, guest] = [inNamespace('flywheel'), inNamespace('flywheel-two', {})];
    await one.deploy(target);

    const used = await guest.deploy(target);

    expect(used).toMatchObject({ id: ours, ours: false });
    expect(await guest.get(ours)).toMatchObject({ ours: false });
    expect(fieldsOf(ours)).toEqual({ flywheel_models: base });
    await expect(guest.remove(ours, target)).rejects.toMatchObject({ name: 'RejectedError' });
    await one.remove(ours, target);
  });
});
