import type { Lineage } from '../activities/ports/lineage.ts';
import type { Database } from './connect.ts';
import { withOurErrors } from './errors.ts';
import { createAdapterLineage } from './repositories/adapters.ts';
import { createAuditLog } from './repositories/audit-log.ts';
import { createDatasetLineage } from './repositories/datasets.ts';
import { createDecisionLineage } from './repositories/decisions.ts';
import { createDeploymentLineage } from './repositories/deployments.ts';
import { createEvaluationLineage } from './repositories/evaluations.ts';
import { createExperimentLineage } from './repositories/experiments.ts';
import { createFeedbackLineage } from './repositories/feedback.ts';
import { createJudgementLineage } from './repositories/judgements.ts';
import { createPolicyLineage } from './repositories/policies.ts';
import { createRecordLineage } from './repositories/record-trace.ts';
import { createRouteLineage } from './repositories/routes.ts';
import { createRunLineage } from './repositories/runs.ts';
import { createSafetyLineage } from './repositories/safety.ts';
import { createSweepLineage } from './repositories/sweeps.ts';

/** The lineage on PostgreSQL; `migrate` must have run. Suite: `test/contracts/lineage.contract.ts`. */
export function createLineage(db: Database): Lineage {
  return {
    runs: withOurErrors(createRunLineage(db)),
    datasets: withOurErrors(createDatasetLineage(db)),
    experiments: withOurErrors(createExperimentLineage(db)),
    adapters: withOurErrors(createAdapterLineage(db)),
    evaluations: withOurErrors(createEvaluationLineage(db)),
    judgements: withOurErrors(createJudgementLineage(db)),
    safety: withOurErrors(createSafetyLineage(db)),
    decisions: withOurErrors(createDecisionLineage(db)),
    records: withOurErrors(createRecordLineage(db)),
    routes: withOurErrors(createRouteLineage(db)),
    feedback: withOurErrors(createFeedbackLineage(db)),
    policies: withOurErrors(createPolicyLineage(db)),
    sweeps: withOurErrors(createSweepLineage(db)),
    deployments: withOurErrors(createDeploymentLineage(db)),
    audit: withOurErrors(createAuditLog(db)),
  };
}
