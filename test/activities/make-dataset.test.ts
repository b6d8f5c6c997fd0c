import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCurateDataset } from '../../activities/curate-dataset.ts';
import { createPlanRun, type PlanRunInput } from '../../activities/plan-run.ts';
import type { ArtifactStore } from '../../activities/ports/artifact-store.ts';
import type { LogStore } from '../../activities/ports/log-store.ts';
import { createTakeSnapshot } from '../../activities/take-snapshot.ts';
import { ConfigError } from '../../config/config-error.ts';
import { type Connection, connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import { InvalidInputError, NotEnoughRecordsError } from '../../domain/errors.ts';
import { noGuardrails } from '../../domain/guardrails/guardrails.ts';
import type { JsonObject } from '../../domain/json.ts';
import { policyVersion } from '../../domain/policies/policy-version.ts';
import { parseRecord } from '../../domain/records/parse.ts';
import { createPostgresLogStore } from '../../integrations/postgres-logs/log-store.ts';
import { generateHelpDesk } from '../../samples/help-desk/generate.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { createTestDatabase, emptyDatabase, type TestDatabase } from '../support/database.ts';
import { aCandidate } from '../support/experiments.ts';
import { aFeedback } from '../support/feedback.ts';
import { inMemoryArtifacts } from '../support/in-memory-artifacts.ts';
import { aPolicy, brokenPolicies, policiesOf } from '../support/policies.ts';

const defaults = {
  minRecords: 50,
  validationShare: 0.1,
  gateTtlMs: 1000,
  gateRemindMs: 100,
  flags: { flywheel: ' --port-offset 7', temporal: '' },
};
const workloadId = 'help-desk';
const safetyItem = { id: 'a', category: 'secrets', question: 'What is the code?', forbidden: ['4471'] };
const noSafetySets = { load: async () => [] };

describe('planning, snapshot and curation', () => {
  let database: TestDatabase;
  let connection: Connection;
  let logStore: LogStore;
  beforeAll(async () => {
    database = await createTestDatabase();
    connection = connect(database.url);
    logStore = createPostgresLogStore(database.url);
  });
  afterAll(async () => {
    await logStore.close();
    await connection.close();
    await database.drop();
  });
  beforeEach(async () => {
    await emptyDatabase(database.url);
    await logStore.append(helpDesk(120, 1));
  });

  function setup(policy = aPolicy()) {
    const lineage = createLineage(connection.db);
    const artifacts = inMemoryArtifacts();
    const catalog = {
      all: () => [aCandidate({ name: 'small' }), aCandidate({ name: 'large', strategies: ['base'] })],
    };
    const { planRun } = createPlanRun({
      ...{ lineage, artifacts, catalog, defaults, deployers: () => null },
      policies: policiesOf(policy),
      safetySets: { load: async (name) => [safetyItem, ...(name ? [{ ...safetyItem, id: name }] : [])] },
    });
    const { takeSnapshot } = createTakeSnapshot({ lineage, logStore, artifacts });
    const { curateDataset } = createCurateDataset({ lineage, artifacts });
    const runId = `run-${Math.random().toString(36).slice(2)}`;
    const plan = (trigger: Partial<PlanRunInput['trigger']> = {}) =>
      planRun({
        workloadId,
        workflowId: 'flywheel:help-desk',
        trigger: { runId, reason: 'a test', requestedBy: 'ada', ...trigger },
      });
    return { lineage, artifacts, plan, takeSnapshot, curateDataset, runId };
  }

  it('tries each candidate with each of its strategies', async () => {
    const { plan } = setup();

    const all = await plan();

    expect(all.experiments.map((spec) => `${spec.candidate.name} × ${spec.strategy}`)).toEqual([
      'small × base',
      'small × icl',
      'small × lora',
      'large × base',
    ]);
  });

  it('measures what serves today beside the challengers', async () => {
    const { lineage, plan } = setup();
    const serving = { provider: 'local', model: 'ft:old', fewShotUri: null, maxTokens: 8 };
    const move = { kind: 'promotion', actor: 'ada', reason: 'r', digest: null, runId: null } as const;
    await lineage.routes.move({ ...move, moveId: 'm1', workloadId, serving });

    const { experiments } = await plan({ strategies: ['base'], candidates: ['small'] });

    expect(experiments).toMatchObject([{ role: 'challenger' }, { role: 'champion', serving }]);
    await lineage.routes.move({ ...move, moveId: 'm2', workloadId, serving: null });
  });

  it('names the configured candidates when asked for another one, and still opens the run', async () => {
    const { lineage, plan, runId } = setup();

    await expect(plan({ candidates: ['ghost'] })).rejects.toThrow(/Unknown candidate ghost.*small, large/);
    await expect(plan({ candidates: ['ghost'] })).rejects.toBeInstanceOf(InvalidInputError);

    expect((await lineage.runs.view(runId)).status).toBe('running');
  });

  it('tries what the policy allows, and pins the version that it began with', async () => {
    const policy = aPolicy({ candidates: ['small'], strategies: ['base', 'lora'], threshold: 0.9 });
    const { lineage, plan, runId } = setup(policy);

    const pinned = await plan();
    const view = await lineage.runs.view(runId);

    expect(pinned.experiments.map((spec) => spec.strategy)).toEqual(['base', 'lora']);
    expect(pinned.policy).toEqual(policy);
    expect(pinned.flags).toEqual({ flywheel: ' --port-offset 7', temporal: '' });
    expect(view.policy).toEqual({ version: policyVersion(policy), ...policy });
    expect(view.threshold).toBe(0.9);
    await expect(plan({ candidates: ['large'] })).rejects.toThrow(/Unknown candidate large.*small/);
    await expect(plan({ strategies: ['icl'] })).rejects.toThrow(/Nothing to try/);
  });

  it('pins guardrails with the very items that are to be asked; without any there is nothing of them', async () => {
    const guardrails = { ...noGuardrails, answers: { card: '4111' }, safetySet: 'hr.jsonl', minPass: 0.9 };
    const guarded = setup(aPolicy({ guardrails }));

    const { guardrails: pinned } = await guarded.plan();
    const plain = await setup().plan();

    expect(pinned).toMatchObject({
      ...{ rules: { questions: {}, answers: { card: '4111' } }, provider: null, minPass: 0.9 },
      safetySet: { rows: 2 },
    });
    const lines: string[] = [];
    for await (const line of guarded.artifacts.readLines(pinned?.safetySet.uri ?? '')) lines.push(line);
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['a', 'hr.jsonl']);
    expect(plain).not.toHaveProperty('guardrails');
  });

  it('refuses a workload id that could not be typed into a shell: a workflow can be started by hand', async () => {
    const { lineage, runId } = setup();
    const { planRun } = createPlanRun({
      ...{ lineage, catalog: { all: () => [aCandidate()] }, defaults, deployers: () => null },
      ...{ artifacts: inMemoryArtifacts(), safetySets: noSafetySets },
      policies: policiesOf(aPolicy()),
    });
    const trigger = { runId, reason: 'a test', requestedBy: 'ada' };

    const planning = planRun({ workloadId: 'hr$(reboot)', workflowId: 'flywheel:hr', trigger });

    await expect(planning).rejects.toThrow(/A workload id must be 1 to 200 of/);
  });

  it('opens a run that fails for a broken workloads.yaml, so that it is seen', async () => {
    const { lineage, runId } = setup();
    const problem = 'workloads.yaml:2:3 default.threshold: Too big';
    const { planRun } = createPlanRun({
      ...{ lineage, catalog: { all: () => [aCandidate()] }, defaults, deployers: () => null },
      ...{ artifacts: inMemoryArtifacts(), safetySets: noSafetySets },
      policies: brokenPolicies(new ConfigError([problem])),
    });
    const trigger = { runId, reason: 'a test', requestedBy: 'ada' };

    const failing = planRun({ workloadId, workflowId: 'flywheel:help-desk', trigger });

    await expect(failing).rejects.toThrow(problem);
    expect((await lineage.runs.view(runId)).policy).toBeNull();
  });

  it('reads the same records however often it is tried, whatever arrives meanwhile', async () => {
    const { lineage, plan, takeSnapshot, runId } = setup();
    await plan();
    const failing = createTakeSnapshot({
      lineage,
      logStore,
      artifacts: { putLines: () => Promise.reject(new Error('the disk is full')) },
    });
    await expect(
      runIn(anAttempt(), failing.takeSnapshot, { runId, workloadId, kind: 'deep' }),
    ).rejects.toThrow(/disk is full/);
    await logStore.append(helpDesk(5, 99));

    const first = await runIn(anAttempt(), takeSnapshot, { runId, workloadId, kind: 'deep' });
    const again = await runIn(anAttempt(), takeSnapshot, { runId, workloadId, kind: 'deep' });

    expect(first.records).toBe(120);
    expect(again).toEqual(first);
    expect(await lineage.runs.view(runId)).toMatchObject({ stage: 'snapshot', synthetic: true });
  });

  it('notes that tools of the records were inferred', async () => {
    const { lineage, artifacts, plan, runId } = setup();
    await plan();
    const stored = { ingestedAt: '2026-01-01T00:00:00Z', extra: { tools_source: 'inferred' } };
    const store: LogStore = {
      ...logStore,
      snapshotBound: () => logStore.snapshotBound(),
      async *read() {
        yield helpDesk(2, 50).map((record) => ({ ...record, ...stored }));
      },
    };
    const { takeSnapshot } = createTakeSnapshot({ lineage, artifacts, logStore: store });

    await runIn(anAttempt(), takeSnapshot, { runId, workloadId, kind: 'deep' });

    expect(await lineage.runs.view(runId)).toMatchObject({ toolsInferred: true });
  });

  it('says what to do when there is not a single record', async () => {
    const { takeSnapshot, plan, runId, lineage } = setup();
    await plan();
    await lineage.runs.open({
      runId: `${runId}-2`,
      workflowId: 'w',
      workloadId: 'empty',
      reason: '',
      requestedBy: '',
      plan: null,
    });

    const attempt = runIn(anAttempt(), takeSnapshot, {
      runId: `${runId}-2`,
      workloadId: 'empty',
      kind: 'deep',
    });

    await expect(attempt).rejects.toBeInstanceOf(NotEnoughRecordsError);
  });

  it('makes the same dataset again, and keeps which record went where', async () => {
    const { lineage, artifacts, plan, takeSnapshot, curateDataset, runId } = setup();
    const pinned = await plan({ evalSize: 20 });
    await runIn(anAttempt(), takeSnapshot, { runId, workloadId, kind: 'deep' });

    const first = await runIn(anAttempt(), curateDataset, { plan: pinned });
    const again = await runIn(anAttempt(), curateDataset, { plan: pinned });

    expect(again).toEqual(first);
    expect(first.splits.eval).toBe(20);
    const { files } = await lineage.datasets.get(first.id);
    const rows: unknown[] = [];
    for await (const line of artifacts.readLines(files.train.uri)) rows.push(JSON.parse(line));
    expect(rows).toHaveLength(first.splits.train);
    expect(rows[0]).toHaveProperty('messages');
    expect(await artifacts.readText(files.manifest.uri)).toContain('"seed"');
  });

  it('learns from what was said about the records, and keeps to it when it is tried again', async () => {
    const { lineage, artifacts, plan, takeSnapshot, curateDataset, runId } = setup();
    const pinned = await plan({ evalSize: 20 });
    const { records } = await runIn(anAttempt(), takeSnapshot, { runId, workloadId, kind: 'deep' });
    const plain = await runIn(anAttempt(), curateDataset, { plan: pinned });
    const { files: before } = await lineage.datasets.get(plain.id);
    const [praised = '', blamed = '', corrected = ''] = await recordIds(artifacts, before.trainExamples.uri);
    await lineage.feedback.add(
      [
        { record_id: praised, kind: 'thumbs', value: 'up' },
        { record_id: blamed, kind: 'outcome', name: 'resolved', value: false },
        { record_id: corrected, kind: 'correction', value: 'Please call our hotline.' },
      ].map(aFeedback),
    );
    const next = setup();
    const nextPlan = await next.plan({ evalSize: 20 });
    await runIn(anAttempt(), next.takeSnapshot, { runId: next.runId, workloadId, kind: 'deep' });

    const again = await runIn(anAttempt(), curateDataset, { plan: pinned });
    const heard = await runIn(anAttempt(), next.curateDataset, { plan: nextPlan });
    await lineage.feedback.add([aFeedback({ record_id: praised, kind: 'thumbs', value: 'down' })]);
    const retried = await runIn(anAttempt(), next.curateDataset, { plan: nextPlan });

    expect(records).toBeGreaterThan(0);
    expect(again).toEqual(plain);
    expect(heard.dropped).toMatchObject({ failed_outcome: 1 });
    expect(heard.dropped).not.toHaveProperty('thumbs_down');
    expect(retried).toEqual(heard);
    const { files } = await lineage.datasets.get(heard.id);
    const manifest = JSON.parse(await next.artifacts.readText(files.manifest.uri)) as JsonObject;
    expect(manifest).toMatchObject({ corrected: 1, correctedRecords: [{ recordId: corrected }] });
    expect(await lineage.runs.view(next.runId)).toMatchObject({
      dataset: { dropped: { failed_outcome: 1 } },
    });
  });

  it('ends at its next batch when it is cancelled', async () => {
    const { plan, takeSnapshot, runId } = setup();
    await plan();
    const environment = anAttempt();
    environment.cancel('CANCELLED');

    await expect(runIn(environment, takeSnapshot, { runId, workloadId, kind: 'deep' })).rejects.toMatchObject(
      {
        name: 'CancelledFailure',
      },
    );
  });
});

async function recordIds(artifacts: Pick<ArtifactStore, 'readLines'>, uri: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const line of artifacts.readLines(uri))
    ids.push((JSON.parse(line) as { recordId: string }).recordId);
  return ids;
}

function helpDesk(records: number, seed: number) {
  return generateHelpDesk({ seed, records }).flatMap((row) => {
    const parsed = parseRecord({ ...row, id: undefined, workload_id: workloadId });
    return parsed.ok ? [parsed.record] : [];
  });
}
