import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAwaitModel } from '../../activities/await-model.ts';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { createReleaseModels } from '../../activities/release-models.ts';
import { type Connection, connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import { runHolder } from '../../domain/deployments/holder.ts';
import { createChatModel } from '../../integrations/nemo-microservices/chat-model.ts';
import { createDeployer } from '../../integrations/nemo-microservices/deployer.ts';
import type { NemoServer } from '../contract-servers/nemo-microservices/server.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { aNemoServer, settingsOf } from '../support/nemo-server.ts';

const base = 'flywheel/nano-4m';
const nims = { [base]: { image: `registry.example/nim/${base}`, tag: '1.8.3', gpus: 1 } };
const serving = { provider: 'nemo', model: base, fewShotUri: null, maxTokens: 4 };
const holder = runHolder('1');

/** A real process, killed by SIGKILL when the provider has made the deployment and nobody has written its name down. */
describe('a worker that is killed between making a deployment and writing it down', () => {
  let database: TestDatabase;
  let connection: Connection;
  let lineage: Lineage;
  let server: NemoServer;
  beforeAll(async () => {
    database = await createTestDatabase();
    connection = connect(database.url);
    lineage = createLineage(connection.db);
  });
  afterAll(async () => {
    await connection.close();
    await database.drop();
  });
  beforeEach(async () => {
    server = await aNemoServer();
  });
  afterEach(() => server.close());

  async function killedInMidDeployment(): Promise<string> {
    const script = join(import.meta.dirname, '..', 'support', 'deployment-process.ts');
    const input = { databaseUrl: database.url, settings: settingsOf(server), nims, serving, holder };
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(input)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    for await (const line of createInterface({ input: child.stdout })) {
      said = line;
      break;
    }
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    return said;
  }

  function activities() {
    const settings = settingsOf(server);
    const ports = {
      lineage,
      deployers: () => createDeployer(settings, nims),
      chatModels: () => createChatModel(settings),
      retirementGraceMs: 0,
    };
    const { awaitModel } = createAwaitModel(ports);
    const { releaseRunModels } = createReleaseModels(ports);
    return {
      wait: () => runIn(anAttempt({ attempt: 2 }), awaitModel, { serving, holder }),
      endRun: () => runIn(anAttempt(), releaseRunModels, { runId: '1' }),
    };
  }

  const deployed = () =>
    [...server.world.tables.deployments.keys()].filter((name) => name.startsWith('flywheel/flywheel-'));

  it('leaves nothing behind once its run has ended', async () => {
    expect(await killedInMidDeployment()).toBe('made flywheel/flywheel-nano-4m');
    expect(deployed()).toEqual(['flywheel/flywheel-nano-4m']);
    expect(await lineage.deployments.list()).toMatchObject([{ deploymentId: null, holders: [holder] }]);

    const { removed } = await activities().endRun();

    expect(removed).toEqual([base]);
    expect(deployed()).toEqual([]);
    expect(await lineage.deployments.list()).toEqual([]);
  });

  it('has one deployment when the next attempt goes on', async () => {
    await killedInMidDeployment();
    const { wait, endRun } = activities();

    await wait();

    expect(deployed()).toEqual(['flywheel/flywheel-nano-4m']);
    expect(await lineage.deployments.list()).toMatchObject([{ deploymentId: 'flywheel/flywheel-nano-4m' }]);
    await endRun();
    expect(deployed()).toEqual([]);
  });
});
