import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { createGate } from '../../activities/gate.ts';
import { createGateEvents } from '../../activities/gate-events.ts';
import type { Role } from '../../domain/access/role.ts';
import { newToken } from '../../domain/access/token.ts';
import { tokensFileText } from '../../domain/access/tokens-file.schema.ts';
import type { approvalGate } from '../../workflows/index.ts';
import { decideUpdate } from '../../workflows/messages.ts';
import { initialAttributes } from '../../workflows/search-attributes.ts';
import { promptQueue, workflowQueue } from '../../workflows/task-queues.ts';
import { gateId, rolloutId } from '../../workflows/workflow-ids.ts';
import { aReport, aSpec, aVerdict, openedRun } from '../support/lineage.ts';
import { bundleWorkflows } from '../workflows/support/bundle.ts';
import { setup } from './support/gateway.ts';

// The rollouts that these decisions start find no activities, which is nothing to read about.
Runtime.install({ logger: new DefaultLogger('ERROR') });

let bundle: WorkflowBundle;
let connection: Connection;
let native: NativeConnection;

beforeAll(async () => {
  const address = inject('temporalAddress');
  [bundle, connection, native] = await Promise.all([
    bundleWorkflows(),
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
}, 120_000);

afterAll(async () => {
  await native.close();
  await connection.close();
});

/** A real gateway, gate, worker and lineage; a run whose verdict waits for a decision. */
async function waitingRun(options: { tokens?: boolean } = {}) {
  const temporal = {
    address: inject('temporalAddress'),
    namespace: 'default',
    uiUrl: null,
    embedded: true,
  };
  const gateway = await setup({ temporal });
  const { lineage } = gateway;
  const token = (client: string, ...roles: Role[]) =>
    newToken(
      { id: `id-${client}`, secret: randomUUID() },
      { client, roles, createdAt: '2026-01-31T09:00:00Z', expiresAt: null, requestsPerMinute: null },
    );
  const [ana, web] = [token('ana', 'approve'), token('web', 'ingest')];
  if (options.tokens !== false)
    await writeFile(gateway.config.gateway.tokensFile, tokensFileText([ana.token, web.token]));

  const runId = `run-${randomUUID()}`;
  const digest = `digest-of-${runId}`;
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const spec = aSpec(runId);
  const report = aReport(spec);
  await openedRun(lineage, runId);
  await lineage.experiments.open(runId, spec);
  await lineage.decisions.recordVerdict(runId, aVerdict(spec), digest, report.serving);
  await lineage.decisions.openGate({ runId, workloadId: 'hr', digest, expiresAt });

  const client = new Client({ connection });
  const workers = await Promise.all([
    Worker.create({ connection: native, taskQueue: workflowQueue, workflowBundle: bundle }),
    Worker.create({
      connection: native,
      taskQueue: promptQueue,
      activities: { ...createGate({ lineage }), ...createGateEvents({ lineage }) },
    }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  onTestFinished(async () => {
    // The rollout has no activities here: who decides is what these tests are about.
    await client.workflow
      .getHandle(rolloutId('hr'))
      .terminate()
      .catch(() => undefined);
    for (const worker of workers) worker.shutdown();
    await running;
  });
  await client.workflow.start<typeof approvalGate>('approvalGate', {
    workflowId: gateId(runId),
    taskQueue: workflowQueue,
    workflowExecutionTimeout: '2 minutes',
    args: [
      {
        ...{ runId, workloadId: 'hr', digest, expiresAt },
        verdict: aVerdict(spec),
        leaderboard: [report],
        requestedBy: 'ada',
        remindEveryMs: 60_000,
      },
    ],
    typedSearchAttributes: initialAttributes('hr', 'pending'),
  });

  const { url } = await gateway.start();
  const post = async (body: object, headers: Record<string, string> = {}) => {
    const reply = await fetch(`${url}/v1/runs/${runId}/decision`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
  };
  return {
    ...{ runId, digest, lineage, client, post },
    wish: { outcome: 'approve', reason: 'checked by hand', digest } as const,
    ana: { authorization: `Bearer ${ana.text}` },
    web: { authorization: `Bearer ${web.text}` },
  };
}

describe('a decision over HTTP', () => {
  test('is made in the name of the token’s holder, which lineage and audit show as proved', async () => {
    const { runId, digest, lineage, post, wish, ana } = await waitingRun();

    const decided = await post(wish, ana);

    expect(decided).toEqual({
      status: 200,
      body: {
        ...{ runId, digest, workload: 'hr', status: 'approved', actor: 'ana', actorSource: 'token' },
        rollout: { workflowId: 'rollout:hr', executionId: expect.any(String) },
      },
    });
    expect((await lineage.runs.view(runId)).approval).toMatchObject({
      ...{ status: 'approved', actor: 'ana', actorSource: 'token', reason: 'checked by hand' },
    });
    expect(await lineage.audit.list('hr')).toMatchObject([
      { action: 'approve', actor: 'ana', actorSource: 'token' },
      { action: 'approve_requested', actor: 'ana', detail: { tokenId: 'id-ana' } },
    ]);
  });

  test('cannot be made in another’s name, without the role, or about other evidence', async () => {
    const { runId, lineage, post, wish, ana, web } = await waitingRun();

    expect(await post({ ...wish, actor: 'grace' }, ana)).toMatchObject({
      status: 403,
      body: { error: { code: 'actor_mismatch' } },
    });
    expect(await post(wish, web)).toMatchObject({ status: 403, body: { error: { code: 'missing_role' } } });
    expect(await post({ ...wish, digest: 'yesterday' }, ana)).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringMatching(/about evidence yesterday/) } },
    });
    expect(await post({ ...wish, reason: ' ' }, ana)).toMatchObject({ status: 400 });
    expect((await lineage.runs.view(runId)).approval).toMatchObject({ status: 'pending' });
  });

  test('sent again under its key is one decision; the key for another one is a conflict', async () => {
    const { lineage, post, wish, ana } = await waitingRun();
    const keyed = { ...ana, 'idempotency-key': 'k1' };

    const first = await post({ ...wish, outcome: 'reject' }, keyed);
    const again = await post({ ...wish, outcome: 'reject' }, keyed);
    const other = await post({ ...wish, outcome: 'reject' }, { ...ana, 'idempotency-key': 'k2' });

    expect([first.status, again.status, other.status]).toEqual([200, 200, 409]);
    expect(again.body).toMatchObject({ status: 'rejected', actor: 'ana' });
    expect(other.body).toMatchObject({ error: { message: expect.stringMatching(/already rejected/) } });
    expect((await lineage.audit.list('hr')).map(({ action }) => action)).toEqual([
      'reject',
      'reject_requested',
    ]);
  });

  test('sent through Temporal itself never counts as proved, whatever name and id it takes', async () => {
    const { runId, digest, lineage, client, post, wish, ana } = await waitingRun();
    // The server has proved a decision by ana that the gate refused; its id is there to be read.
    await post({ ...wish, digest: 'yesterday' }, { ...ana, 'idempotency-key': 'k1' });
    const [proof] = await lineage.audit.list('hr');

    await client.workflow.getHandle(gateId(runId)).executeUpdate(decideUpdate, {
      updateId: 'forged',
      args: [{ outcome: 'approve', actor: 'ana', reason: 'checked by hand', digest }],
    });

    expect(proof).toMatchObject({ actor: 'ana', actorSource: 'token' });
    expect((await lineage.runs.view(runId)).approval).toMatchObject({ actor: 'ana', actorSource: 'local' });
  });

  test('needs a name where there are no tokens, and is kept as the claim that it is', async () => {
    const { runId, lineage, post, wish } = await waitingRun({ tokens: false });

    const nameless = await post(wish);
    const named = await post({ ...wish, actor: 'grace' });

    expect(nameless).toMatchObject({ status: 400, body: { error: { code: 'missing_actor' } } });
    expect(named).toMatchObject({ status: 200, body: { actor: 'grace', actorSource: 'local' } });
    expect((await lineage.runs.view(runId)).approval).toMatchObject({ actor: 'grace', actorSource: 'local' });
  });
});

test('a decision while Temporal is down is told as such', async () => {
  const gateway = await setup();
  await openedRun(gateway.lineage, 'run-1');
  const spec = aSpec('run-1');
  await gateway.lineage.experiments.open('run-1', spec);
  await gateway.lineage.decisions.recordVerdict('run-1', aVerdict(spec), 'd1', null);
  const { url } = await gateway.start();

  const reply = await fetch(`${url}/v1/runs/run-1/decision`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ outcome: 'reject', actor: 'ana', reason: 'no', digest: 'd1' }),
  });

  expect(reply.status).toBe(503);
  expect(await reply.json()).toMatchObject({ error: { code: 'unavailable' } });
});
