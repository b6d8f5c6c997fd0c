import { activityInfo, log } from '@temporalio/activity';
import type { Decision } from '../domain/verdicts/verdict.ts';
import type { OneGate } from './gate.ts';
import type { Lineage } from './ports/lineage.ts';

/** What happens at a gate while it stays open: for the audit log, and for whoever reads the worker's log. */
export function createGateEvents({
  lineage,
}: {
  readonly lineage: { readonly audit: Pick<Lineage['audit'], 'append'> };
}) {
  const { audit } = lineage;
  return {
    async auditRefusal(input: OneGate & { decision: Decision; refusal: string }): Promise<void> {
      const { runId, workloadId, decision, refusal } = input;
      const { actor, actorSource, outcome, reason, digest } = decision;
      await audit.append({
        id: `refused:${runId}:${decision.id}`,
        actor: actor || 'unknown',
        actorSource,
        workloadId,
        runId,
        action: `${outcome}_refused`,
        detail: { refusal, reason, digest },
      });
      log.warn('a decision was refused', { runId, workloadId, actor, outcome, refusal });
    },

    async remindGate({ runId, workloadId, expiresAt }: OneGate & { expiresAt: string }): Promise<void> {
      const { activityId, workflowExecution } = activityInfo();
      await audit.append({
        id: `remind:${runId}:${workflowExecution?.runId}:${activityId}`,
        workloadId,
        runId,
        action: 'gate_reminder',
        actor: 'flywheel',
        actorSource: 'system',
        detail: { expiresAt },
      });
      log.warn('a run waits for a decision', { runId, workloadId, expiresAt });
    },
  };
}
