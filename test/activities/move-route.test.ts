import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMoveRoute } from '../../activities/move-route.ts';
import { createRecordMove } from '../../activities/record-move.ts';
import { type Connection, connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import type { ServingSpec } from '../../domain/experiments/experiment.ts';
import type { RouteMove } from '../../domain/routes/move.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { aDecision, aRun } from '../support/lineage.ts';

describe('the steps of a rollout', () => {
  let database: TestDatabase;
  let connection: Connection;
  beforeAll(async () => {
    database = await createTestDatabase();
    connection = connect(database.url);
  });
  afterAll(async () => {
    await connection.close();
    await database.drop();
  });

  async function setup(options: { decision?: { outcome: 'approve' | 'reject' } | null } = {}) {
    const lineage = createLineage(connection.db);
    const id = Math.random().toString(36).slice(2);
    const [runId, workloadId, digest] = [`run-${id}`, `w-${id}`, id];
    await lineage.runs.open(aRun(runId, { workloadId }));
    const verdict = {
      outcome: 'promote',
      reason: 'better',
      primaryMetric: 'exact_match',
      threshold: 0.7,
    } as const;
    await lineage.decisions.recordVerdict(runId, verdict, digest, serving('ft:new'));
    await lineage.decisions.openGate({ runId, workloadId, digest, expiresAt: '2030-01-01T00:00:00.000Z' });
    if (options.decision !== null) {
      const { outcome = 'approve' } = options.decision ?? {};
      const status = outcome === 'approve' ? 'approved' : 'rejected';
      await lineage.decisions.recordDecision(runId, { ...aDecision('one', digest), outcome }, status);
    }
    const promotion: RouteMove = {
      workloadId,
      runId,
      digest,
      moveId: `promotion:${runId}`,
      kind: 'promotion',
      actor: 'ada',
      reason: 'a test',
    };
    const rollback: RouteMove = {
      workloadId,
      moveId: `rollback:${id}`,
      kind: 'rollback',
      actor: 'ada',
      reason: 'worse',
    };
    return {
      lineage,
      promotion,
      rollback,
      workloadId,
      ...createMoveRoute({ lineage, deployers: () => null }),
      ...createRecordMove({ lineage }),
    };
  }

  it('promote what was approved, once however often they are repeated', async () => {
    const { planMove, moveRoute, promotion } = await setup();

    const planned = await planMove(promotion);
    const first = await moveRoute({ ...promotion, serving: planned.serving });
    const again = await moveRoute({ ...promotion, serving: planned.serving });

    expect(first).toMatchObject({ version: 1, serving: serving('ft:new'), previous: null });
    expect(again).toEqual(first);
  });

  it('refuse a digest that is not the approved one', async () => {
    const { planMove, promotion } = await setup();

    await expect(planMove({ ...promotion, digest: 'another' })).rejects.toThrow(
      /has evidence .* but another was approved/,
    );
  });

  it.each([
    ['nobody decided on', null],
    ['somebody rejected', { outcome: 'reject' as const }],
  ])('refuse a run that %s', async (_, decision) => {
    const { planMove, promotion } = await setup({ decision });

    await expect(planMove(promotion)).rejects.toThrow(/was not approved/);
  });

  it('restore what served before, even the original, and leave nothing to roll back to', async () => {
    const { planMove, moveRoute, restoreRoute, promotion, workloadId, lineage } = await setup();
    const planned = await planMove(promotion);
    await moveRoute({ ...promotion, serving: planned.serving });

    const { route } = await restoreRoute({ move: promotion, planned, reason: 'not proven' });
    const again = await restoreRoute({ move: promotion, planned, reason: 'not proven' });

    expect(route).toMatchObject({ version: 2, serving: null });
    expect(again.route).toEqual(route);
    expect((await lineage.routes.get(workloadId))?.previous).toBeNull();
  });

  it('restore nothing when nothing was moved', async () => {
    const { planMove, restoreRoute, promotion } = await setup();
    const planned = await planMove(promotion);

    expect(await restoreRoute({ move: promotion, planned, reason: 'cancelled early' })).toEqual({
      route: null,
    });
  });

  it('do not take back somebody else’s later move', async () => {
    const { planMove, moveRoute, restoreRoute, promotion, rollback } = await setup();
    const planned = await planMove(promotion);
    await moveRoute({ ...promotion, serving: planned.serving });
    await moveRoute({ ...rollback, serving: null });

    await expect(restoreRoute({ move: promotion, planned, reason: 'late' })).rejects.toThrow(
      /moved meanwhile/,
    );
  });

  it('roll back to the original after the first promotion, and say when there is nothing to go back to', async () => {
    const { planMove, moveRoute, promotion, rollback } = await setup();
    await expect(planMove(rollback)).rejects.toThrow(/has no route: nothing was ever promoted/);
    await moveRoute({ ...promotion, serving: (await planMove(promotion)).serving });

    const planned = await planMove(rollback);

    expect(planned).toEqual({ serving: null, before: serving('ft:new') });
  });

  it('write each outcome to the audit log once', async () => {
    const { recordMove, lineage, promotion, workloadId } = await setup();

    await recordMove({ move: promotion, route: null, outcome: 'restored', detail: 'the gateway was silent' });
    await recordMove({ move: promotion, route: null, outcome: 'restored', detail: 'the gateway was silent' });

    expect(await lineage.audit.list(workloadId)).toMatchObject([
      { action: 'promotion_restored', actor: 'ada' },
    ]);
  });

  it('claim nothing about the route in the audit log where nothing was moved', async () => {
    const { recordMove, lineage, promotion, workloadId } = await setup();

    await recordMove({ move: promotion, route: null, outcome: 'not_deployed', detail: 'insufficient GPUs' });

    const [entry] = await lineage.audit.list(workloadId);
    expect(entry).toMatchObject({ action: 'promotion_not_deployed', actor: 'ada', runId: promotion.runId });
    expect(entry?.detail).toEqual({ reason: 'a test', detail: 'insufficient GPUs' });
  });
});

function serving(model: string): ServingSpec {
  return { provider: 'local', model, fewShotUri: null, maxTokens: 64 };
}
