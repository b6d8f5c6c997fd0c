import { createAwaitModel } from './await-model.ts';
import { createCheckSafety } from './check-safety.ts';
import { createCurateDataset } from './curate-dataset.ts';
import { createEndEvaluation } from './end-evaluation.ts';
import { createEndTraining } from './end-training.ts';
import { createEvaluate, type EvaluatePorts, type EvaluateSettings } from './evaluate.ts';
import { withFailures } from './failures.ts';
import { createFineTune, type FineTunePorts } from './fine-tune.ts';
import { createGate } from './gate.ts';
import { createGateEvents } from './gate-events.ts';
import { createJudgeEvaluation } from './judge-evaluation.ts';
import { createMoveRoute } from './move-route.ts';
import { createPlanRun, type PlanDefaults } from './plan-run.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { Deployers } from './ports/deployer.ts';
import type { Embedders } from './ports/embedder.ts';
import type { FewShots } from './ports/few-shots.ts';
import type { Flywheels } from './ports/flywheels.ts';
import type { GatewayProbe } from './ports/gateway-probe.ts';
import type { GuardrailsBy } from './ports/guardrails.ts';
import type { JudgeServices } from './ports/judge-jobs.ts';
import type { CandidateCatalog, Lineage } from './ports/lineage.ts';
import type { LogStore } from './ports/log-store.ts';
import type { PolicySource } from './ports/policies.ts';
import type { SafetySets } from './ports/safety-sets.ts';
import { createPrepareFewShot } from './prepare-few-shot.ts';
import { createProveRoute } from './prove-route.ts';
import { createRecordMove } from './record-move.ts';
import { createRecordVerdict } from './record-verdict.ts';
import { createReleaseModels } from './release-models.ts';
import { createRunBookkeeping } from './run-bookkeeping.ts';
import { createSweep } from './sweep.ts';
import { createTakeSnapshot } from './take-snapshot.ts';

export interface ActivityPorts {
  readonly lineage: Lineage;
  readonly logStore: LogStore;
  readonly artifacts: ArtifactStore;
  readonly chatModels: EvaluatePorts['chatModels'];
  readonly embedders: Embedders;
  readonly deployers: Deployers;
  readonly evaluators: EvaluatePorts['evaluators'];
  readonly judgeServices: JudgeServices;
  readonly fewShots: FewShots;
  readonly probe: GatewayProbe;
  readonly catalog: CandidateCatalog;
  readonly policies: PolicySource;
  readonly guardrails: GuardrailsBy;
  readonly safetySets: SafetySets;
  readonly flywheels: Flywheels;
  readonly defaults: PlanDefaults;
  readonly evaluation: EvaluateSettings;
  readonly retirementGraceMs: number;
}

/** Everything that needs no device of ours: queues `flywheel-prompt` and `flywheel-activities`. */
export function createActivities(ports: ActivityPorts & FineTunePorts) {
  return withFailures({
    ...createPlanRun(ports),
    ...createTakeSnapshot(ports),
    ...createCurateDataset(ports),
    ...createRunBookkeeping(ports),
    ...createPrepareFewShot(ports),
    ...createEndTraining(ports),
    ...createEndEvaluation(ports),
    ...createAwaitModel(ports),
    ...createReleaseModels(ports),
    ...createEvaluate(ports, ports.evaluation),
    ...createJudgeEvaluation(ports, ports.evaluation),
    ...createCheckSafety(ports, ports.evaluation),
    ...createRecordVerdict(ports),
    ...createGate(ports),
    ...createGateEvents(ports),
    ...createMoveRoute(ports),
    ...createRecordMove(ports),
    ...createProveRoute(ports),
    ...createSweep(ports),
  });
}

/** What occupies an accelerator while it runs: queues `gpu:<pool>`. */
export function createDeviceActivities(ports: FineTunePorts) {
  return withFailures({ ...createFineTune(ports) });
}

export type Activities = ReturnType<typeof createActivities>;
export type DeviceActivities = ReturnType<typeof createDeviceActivities>;
