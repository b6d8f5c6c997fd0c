import { activityInfo, log } from '@temporalio/activity';
import type { Decision, GateStatus } from '../domain/verdicts/verdict.ts';
import type { Lineage } from './ports/lineage.ts';

export interface GatePorts {
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'openGates'>;
    readonly decisions: Pick<Lineage['decisions'], 'openGate' | 'recordDecision' | 'closeGate'>;
    readonly audit: Pick<Lineage['audit'], 'append'>;
  };
}

interface OneGate {
  readonly runId: string;
  readonly workloadId: string;
}

/** What an approval gate writes down. Every entry of the audit log has an id, so that a repeat adds nothing. */
export function createGate({ lineage }: GatePorts) {
  const { runs, decisions, audit } = lineage;
  return {
    async openGate(gate: OneGate & { digest: string; expiresAt: string }): Promise<void> {
      await decisions.openGate(gate);
    },

    /** Gates of the workload that still wait, but for this run's. */
    async otherOpenGates({ workloadId, runId }: OneGate): Promise<{ runIds: string[] }> {
      const open = await runs.openGates(workloadId);
      return { runIds: open.map((gate) => gate.runId).filter((other) => other !== runId) };
    },

    async recordDecision(input: OneGate & { decision: Decision; status: GateStatus }): Promise<void> {
      const { runId, workloadId, decision, status } = input;
      const { actor, actorSource, outcome, reason, digest, override } = decision;
      await decisions.recordDecision(runId, decision, status);
      await audit.append({
        ...{ id: `decision:${decision.id}`, actor, actorSource, workloadId, runId },
        action: override ? `${outcome}_with_override` : outcome,
        detail: { reason, digest, override },
      });
    },

    async closeGate(input: OneGate & { status: GateStatus; byRunId?: string }): Promise<void> {
      const { runId, workloadId, status, byRunId } = input;
      await decisions.closeGate(runId, status);
      await audit.append({
        ...{ id: `gate:${runId}:${status}`, workloadId, runId, action: `gate_${status}` },
        ...{ actor: 'flywheel', actorSource: 'system', detail: byRunId ? { byRunId } : {} },
      });
    },

    async auditRefusal(input: OneGate & { decision: Decision; refusal: string }): Promise<void> {
      const { runId, workloadId, decision, refusal } = input;
      const { actor, actorSource, outcome, reason, digest } = decision;
      await audit.append({
        ...{ id: `refused:${decision.id}`, actor: actor || 'unknown', actorSource, workloadId, runId },
        action: `${outcome}_refused`,
        detail: { refusal, reason, digest },
      });
      log.warn('a decision was refused', { runId, workloadId, actor, outcome, refusal });
    },

    async remindGate({ runId, workloadId, expiresAt }: OneGate & { expiresAt: string }): Promise<void> {
      const { activityId, workflowExecution } = activityInfo();
      await audit.append({
        ...{ id: `remind:${runId}:${workflowExecution?.runId}:${activityId}`, workloadId, runId },
        ...{ action: 'gate_reminder', actor: 'flywheel', actorSource: 'system', detail: { expiresAt } },
      });
      log.warn('a run waits for a decision', { runId, workloadId, expiresAt });
    },
  };
}
