import type { FineTunePorts } from '../activities/fine-tune.ts';
import type { ActivityPorts } from '../activities/index.ts';
import type { TraceIds } from '../activities/ports/trace.ts';
import { commandFlags } from '../config/command-flags.ts';
import type { Config } from '../config/config.ts';
import { createGatewayProbe } from '../integrations/gateway/probe.ts';
import { openArtifactStore } from './open-artifact-store.ts';
import { openDeployers } from './open-deployers.ts';
import { openEvaluators, openJudgeServices } from './open-evaluators.ts';
import { openFewShots } from './open-few-shots.ts';
import { openFlywheels } from './open-flywheels.ts';
import { openGuardrails } from './open-guardrails.ts';
import { openLineage } from './open-lineage.ts';
import { openLogStore } from './open-log-store.ts';
import { openChatModels, openEmbedders, openTrainers } from './open-models.ts';
import { openPolicies } from './open-policies.ts';
import { openSafetySets } from './open-safety-sets.ts';

export interface OpenActivityPorts {
  readonly ports: ActivityPorts & FineTunePorts;
  close(): Promise<void>;
}

/** Everything that activities reach the world by. `migrateDatabases` must have run. */
export function openActivityPorts(config: Config, traceId: TraceIds): OpenActivityPorts {
  const traced = { ...config, traceId };
  const lineage = openLineage(config);
  const logStore = openLogStore(config);
  const artifacts = openArtifactStore(config);
  const embedders = openEmbedders(traced);
  const flywheels = openFlywheels(config);
  const { evaluationConcurrency, itemTimeoutMs, retirementGraceMs, ...defaults } = config.defaults;
  return {
    ports: {
      lineage,
      logStore,
      artifacts,
      chatModels: openChatModels(traced),
      embedders,
      deployers: openDeployers(traced),
      evaluators: openEvaluators(traced),
      judgeServices: openJudgeServices(traced),
      fewShots: openFewShots(artifacts, embedders),
      trainers: openTrainers(traced, artifacts),
      probe: createGatewayProbe(config.gateway.url, () => config.gateway.ownToken),
      catalog: { all: () => config.candidates },
      policies: openPolicies(config),
      guardrails: openGuardrails(traced),
      safetySets: openSafetySets(config),
      flywheels,
      defaults: { ...defaults, flags: commandFlags(config) },
      evaluation: { concurrency: evaluationConcurrency, itemTimeoutMs },
      retirementGraceMs,
    },
    async close() {
      await Promise.allSettled([lineage.close(), logStore.close(), flywheels.close()]);
    },
  };
}
