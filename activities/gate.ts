import { proofId, provenSource } from '../domain/verdicts/proof.ts';
import type { Decision, GateStatus } from '../domain/verdicts/verdict.ts';
import type { Lineage } from './ports/lineage.ts';

export interface GatePorts {
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'openGates'>;
    readonly decisions: Pick<Lineage['decisions'], 'openGate' | 'recordDecision' | 'closeGate'>;
    readonly audit: Pick<Lineage['audit'], 'append' | 'find'>;
  };
}

export interface OneGate {
  readonly runId: string;
  readonly workloadId: string;
}

/** How a gate opens and closes. Every entry of the audit log has an id, so that a repeat adds nothing. */
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
      const { runId, workloadId, status } = input;
      // Whoever can write to Temporal can claim any source; only the server can have written the proof.
      const proof = await audit.find(proofId(runId, input.decision.id));
      const decision = { ...input.decision, actorSource: provenSource(proof, runId, input.decision) };
      const { actor, actorSource, outcome, reason, digest, override } = decision;
      await decisions.recordDecision(runId, decision, status);
      await audit.append({
        id: `decision:${runId}:${decision.id}`,
        actor,
        actorSource,
        workloadId,
        runId,
        action: override ? `${outcome}_with_override` : outcome,
        detail: { reason, digest, override },
      });
    },

    async closeGate(input: OneGate & { status: GateStatus; byRunId?: string }): Promise<void> {
      const { runId, workloadId, status, byRunId } = input;
      await decisions.closeGate(runId, status);
      await audit.append({
        id: `gate:${runId}:${status}`,
        workloadId,
        runId,
        action: `gate_${status}`,
        actor: 'flywheel',
        actorSource: 'system',
        detail: byRunId ? { byRunId } : {},
      });
    },
  };
}
