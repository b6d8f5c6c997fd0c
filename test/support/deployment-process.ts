import { createAwaitModel } from '../../activities/await-model.ts';
import { connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import { createChatModel } from '../../integrations/nemo-microservices/chat-model.ts';
import { createDeployer } from '../../integrations/nemo-microservices/deployer.ts';
import type { NemoSettings, NimImage } from '../../integrations/nemo-microservices/settings.ts';
import { anAttempt, runIn } from './activity-environment.ts';

/**
 * Has a model deployed as an activity worker does, says so when the provider has made the deployment, and then
 * waits to be killed before it can write down which: what `deployment-killed.test.ts` needs.
 */
const { databaseUrl, settings, nims, serving, holder } = JSON.parse(process.argv[2] ?? '{}') as {
  databaseUrl: string;
  settings: NemoSettings;
  nims: Record<string, NimImage>;
  serving: ServingSpec;
  holder: string;
};

const lineage = createLineage(connect(databaseUrl).db);
const { awaitModel } = createAwaitModel({
  deployers: () => createDeployer(settings, nims),
  chatModels: () => createChatModel(settings),
  lineage: {
    experiments: lineage.experiments,
    deployments: {
      ...lineage.deployments,
      async recordDeployment(_target, { id }) {
        console.log(`made ${id}`);
        await new Promise((resolve) => setTimeout(resolve, 600_000));
      },
    },
  },
});
await runIn(anAttempt(), awaitModel, { serving, holder });
