import { and, asc, eq, sql } from 'drizzle-orm';
import type { DecisionLineage, Promotable } from '../../activities/ports/lineage.ts';
import { ConflictError } from '../../domain/errors.ts';
import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import type { Decision, GateStatus, Verdict } from '../../domain/verdicts/verdict.ts';
import type { Database } from '../connect.ts';
import { one, toIsoOrNull } from '../rows.ts';
import { approvalGates, approvals, verdicts } from '../schema/decisions.ts';
import { mayBePromoted } from './promotable.ts';
import { ensureWorkload } from './workloads.ts';

export function createDecisionLineage(db: Database): DecisionLineage {
  return {
    recordVerdict: (runId, verdict, digest, serving) => recordVerdict(db, runId, verdict, digest, serving),
    async getVerdict(runId) {
      const found = await db.select().from(verdicts).where(eq(verdicts.runId, runId));
      const row = one(found, `verdict of run "${runId}" yet`);
      return { verdict: toVerdict(row), digest: row.digest, serving: row.serving };
    },
    promotable: () => promotable(db),
    async getDecision(runId) {
      const [found] = await db
        .select({ outcome: approvals.outcome, digest: approvals.digest })
        .from(approvals)
        .where(eq(approvals.runId, runId));
      return found ?? null;
    },
    async openGate(gate) {
      await ensureWorkload(db, gate.workloadId);
      await db.insert(approvalGates).values(gate).onConflictDoNothing();
    },
    recordDecision: (runId, decision, status) => recordDecision(db, runId, decision, status),
    async closeGate(runId, status) {
      await db.update(approvalGates).set({ status, closedAt: sql`now()` }).where(pendingGate(runId));
    },
  };
}

async function promotable(db: Database): Promise<Promotable[]> {
  const rows = await db
    .select({
      runId: approvalGates.runId,
      workload: approvalGates.workloadId,
      serving: verdicts.serving,
      status: approvalGates.status,
      decidedAt: approvals.decidedAt,
    })
    .from(approvalGates)
    .innerJoin(verdicts, eq(verdicts.runId, approvalGates.runId))
    .leftJoin(approvals, eq(approvals.runId, approvalGates.runId))
    .where(mayBePromoted)
    .orderBy(asc(approvalGates.runId));
  return rows.flatMap(({ serving, status, decidedAt, ...row }) => {
    if (serving === null || (status !== 'pending' && status !== 'approved')) return [];
    return [{ ...row, serving, gate: status, decidedAt: toIsoOrNull(decidedAt) }];
  });
}

function pendingGate(runId: string) {
  return and(eq(approvalGates.runId, runId), eq(approvalGates.status, 'pending'));
}

async function recordVerdict(
  db: Database,
  runId: string,
  verdict: Verdict,
  digest: string,
  serving: ServingSpec | null,
): Promise<void> {
  const { winner, outcome, reason, primaryMetric, threshold } = verdict;
  await db
    .insert(verdicts)
    .values({
      runId,
      outcome,
      winnerExperimentId: winner?.experimentId ?? null,
      winnerCandidate: winner?.candidate ?? null,
      winnerStrategy: winner?.strategy ?? null,
      reason,
      primaryMetric,
      threshold,
      digest,
      serving,
    })
    .onConflictDoNothing();
}

function toVerdict(row: typeof verdicts.$inferSelect): Verdict {
  const { outcome, reason, primaryMetric, threshold } = row;
  const { winnerExperimentId: experimentId, winnerCandidate: candidate, winnerStrategy: strategy } = row;
  const hasWinner = experimentId !== null && candidate !== null && strategy !== null;
  return {
    outcome,
    ...(hasWinner && { winner: { experimentId, candidate, strategy } }),
    reason,
    primaryMetric,
    threshold,
  };
}

/** The decision and the gate's end are one write; the same decision again changes nothing. */
async function recordDecision(
  db: Database,
  runId: string,
  decision: Decision,
  status: GateStatus,
): Promise<void> {
  await db.transaction(async (tx) => {
    const gates = await tx
      .select({ status: approvalGates.status })
      .from(approvalGates)
      .where(eq(approvalGates.runId, runId))
      .for('update');
    const gate = one(gates, `approval gate of run "${runId}"`);
    const [known] = await tx
      .select({ id: approvals.id, outcome: approvals.outcome })
      .from(approvals)
      .where(eq(approvals.runId, runId));
    if (known?.id === decision.id && known.outcome === decision.outcome) return;
    if (gate.status !== 'pending') {
      throw new ConflictError(
        `The gate of run "${runId}" is ${gate.status} already; it cannot be decided again.`,
      );
    }
    await tx.insert(approvals).values({ runId, ...decision });
    await tx
      .update(approvalGates)
      .set({ status, closedAt: sql`now()` })
      .where(eq(approvalGates.runId, runId));
  });
}
