import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAwaitModel } from '../../activities/await-model.ts';
import { redeployLost } from '../../activities/deployments/redeploy-lost.ts';
import type { Deployer, Deployment, DeploymentTarget } from '../../activities/ports/deployer.ts';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { createReleaseModels } from '../../activities/release-models.ts';
import { type Connection, connect } from '../../db/connect.ts';
import { createLineage } from '../../db/lineage.ts';
import { routeHolder, runHolder } from '../../domain/deployments/holder.ts';
import { NotFoundError, RejectedError, UnavailableError } from '../../domain/errors.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { approvedRun } from '../support/lineage.ts';

/** A cluster that takes two looks to deploy; what is on it can be seen. */
class Cluster implements Deployer {
  readonly running = new Map<string, { target: DeploymentTarget; looks: number }>();
  readonly removed: string[] = [];
  foreign: string[] = [];
  failure: string | null = null;
  removal: Error | null = null;
  configured = true;

  async deploy(target: DeploymentTarget): Promise<Deployment> {
    const id = `nim-${target.model}`;
    const found = this.running.get(id) ?? { target, looks: 0 };
    this.running.set(id, { target, looks: found.looks + 1 });
    return this.read(id);
  }

  async get(id: string): Promise<Deployment | null> {
    return this.running.has(id) ? this.read(id) : null;
  }

  async remove(told: string | null, { model }: DeploymentTarget): Promise<void> {
    const id = told ?? `nim-${model}`;
    if (this.removal) throw this.removal;
    this.running.delete(id);
    this.removed.push(id);
  }

  private read(id: string): Deployment {
    const ours = !this.foreign.includes(id);
    if (this.failure !== null) return { id, ours, status: 'failed', error: this.failure };
    const ready = (this.running.get(id)?.looks ?? 0) >= 2;
    return { id, ours, status: ready ? 'ready' : 'pending', error: null };
  }
}

describe('models that have to be deployed', () => {
  let database: TestDatabase;
  let connection: Connection;
  let lineage: Lineage;
  let cluster: Cluster;

  beforeAll(async () => {
    database = await createTestDatabase();
    connection = connect(database.url);
    lineage = createLineage(connection.db);
  });
  afterAll(async () => {
    await connection.close();
    await database.drop();
  });
  beforeEach(async () => {
    cluster = new Cluster();
    for (const { holders } of await lineage.deployments.list())
      for (const holder of holders) await lineage.deployments.release(holder);
    for (const unused of await lineage.deployments.claimUnused({ staleMs: 0 }))
      await lineage.deployments.forget(unused);
  });

  const chatModel = {
    complete: async () => ({ response: {}, latencyMs: 1 }),
    countTokens: async () => null,
    isServed: async () => true,
  };
  const timing = { pollMs: 1, patienceMs: 5_000, deployedPatienceMs: 5_000, loadMs: 1_000 };

  function deployers(provider: string): Deployer {
    if (cluster.configured) return cluster;
    throw new NotFoundError(`Provider "${provider}" is not configured.`);
  }

  function activities(patienceMs = 5_000, retirementGraceMs = 0) {
    const ports = { lineage, deployers, chatModels: () => chatModel, retirementGraceMs };
    const { awaitModel } = createAwaitModel(ports, { ...timing, deployment: { pollMs: 1, patienceMs } });
    const { releaseRunModels, releaseRouteModels } = createReleaseModels(ports);
    const serving = (model: string) => ({ provider: 'cluster', model, fewShotUri: null, maxTokens: 64 });
    return {
      wait: (model: string, holder: string) =>
        runIn(anAttempt(), awaitModel, { serving: serving(model), holder }),
      endRun: (runId: string) => runIn(anAttempt(), releaseRunModels, { runId }),
      leaveRoute: (workloadId: string) => runIn(anAttempt(), releaseRouteModels, { workloadId }),
    };
  }

  it('are deployed, waited for, and given back at the end of the run', async () => {
    const { wait, endRun } = activities();

    await wait('llama', runHolder('1'));
    expect(cluster.running.get('nim-llama')?.looks).toBe(2);

    expect(await endRun('1')).toEqual({ removed: ['llama'] });
    expect(cluster.running.size).toBe(0);
    expect(await endRun('1')).toEqual({ removed: [] });
  });

  it('are shared by runs, and stay until the last of them ends', async () => {
    const { wait, endRun } = activities();
    await wait('llama', runHolder('1'));
    await wait('llama', runHolder('2'));

    expect(await endRun('1')).toEqual({ removed: [] });
    expect(await endRun('2')).toEqual({ removed: ['llama'] });
  });

  it('that others deployed are used and left alone', async () => {
    cluster.foreign = ['nim-llama'];
    const { wait, endRun } = activities();
    await wait('llama', runHolder('1'));

    await endRun('1');

    expect(cluster.removed).toEqual([]);
    expect(await lineage.deployments.list()).toEqual([]);
  });

  it('that fail to deploy say why, and leave nothing behind', async () => {
    cluster.failure = 'insufficient GPUs';
    const { wait, endRun } = activities();

    await expect(wait('llama', runHolder('1'))).rejects.toThrow(/could not deploy llama.*insufficient GPUs/);

    expect(cluster.running.size).toBe(0);
    await endRun('1');
    expect(await lineage.deployments.list()).toEqual([]);
  });

  it('that never become ready are given up on, and given back', async () => {
    cluster.deploy = async () => ({ id: 'nim-llama', status: 'pending', ours: true, error: null });
    const { wait, endRun } = activities(10);

    await expect(wait('llama', runHolder('1'))).rejects.toThrow(RejectedError);
    await endRun('1');

    expect(cluster.removed).toEqual(['nim-llama']);
  });

  it('that an attempt makes whose run has ended meanwhile are removed by whoever comes next', async () => {
    const { wait, endRun } = activities();
    const { deploy } = cluster;
    cluster.deploy = async (target) => {
      await endRun('1');
      return deploy.call(cluster, target);
    };

    await expect(wait('llama', runHolder('1'))).rejects.toThrow(/was given back while it was being deployed/);
    expect([...cluster.running.keys()]).toEqual(['nim-llama']);

    expect(await endRun('other')).toEqual({ removed: ['llama'] });
    expect(cluster.running.size).toBe(0);
  });

  it('that cannot be removed now are removed by whoever comes next', async () => {
    const { wait, endRun } = activities();
    await wait('llama', runHolder('1'));
    cluster.removal = new UnavailableError('the cluster is down');
    await expect(endRun('1')).rejects.toThrow('the cluster is down');
    cluster.removal = null;

    expect(await endRun('other')).toEqual({ removed: ['llama'] });
    await wait('llama', runHolder('2'));
  });

  it('whose provider is configured no more keep no run from its end, and go once it is back', async () => {
    const { wait, endRun, leaveRoute } = activities();
    await wait('llama', runHolder('1'));
    cluster.configured = false;

    expect(await endRun('1')).toEqual({ removed: [] });
    expect(await leaveRoute('hr')).toEqual({ removed: [] });
    expect(await lineage.deployments.list()).toMatchObject([{ model: 'llama', removing: false }]);
    cluster.configured = true;

    expect(await endRun('other')).toEqual({ removed: ['llama'] });
    expect(cluster.running.size).toBe(0);
  });

  it('that could not be removed may be needed again', async () => {
    const { wait, endRun } = activities();
    await wait('llama', runHolder('1'));
    cluster.removal = new UnavailableError('the cluster is down');
    await expect(endRun('1')).rejects.toThrow('the cluster is down');

    await wait('llama', runHolder('2'));
    cluster.removal = null;

    expect(await endRun('other')).toEqual({ removed: [] });
  });

  it('that were removed and deployed anew, while somebody slow was at others, stay', async () => {
    const { wait, endRun } = activities();
    const deployments = { ...lineage.deployments };
    await wait('a-slow-one', runHolder('1'));
    await wait('llama', runHolder('1'));
    await lineage.deployments.release(runHolder('1'));
    const { remove } = cluster;
    cluster.remove = async (id, target) => {
      cluster.remove = remove;
      // As long as a claim lasts: it is taken for dead, and both are finished by somebody else.
      for (const claimed of await deployments.claimUnused({ staleMs: 0 })) {
        await cluster.remove(claimed.deploymentId, claimed);
        await deployments.forget(claimed);
      }
      await wait('llama', runHolder('2'));
      return remove.call(cluster, id, target);
    };

    await endRun('other');

    expect([...cluster.running.keys()]).toEqual(['nim-llama']);
    expect(await lineage.deployments.list()).toMatchObject([{ model: 'llama', holders: [runHolder('2')] }]);
  });

  it('that somebody else has taken over are left to them', async () => {
    const { wait, endRun } = activities();
    await wait('llama', runHolder('1'));
    cluster.removal = new RejectedError('not made by Flywheel');

    await endRun('1');

    expect(await lineage.deployments.list()).toEqual([]);
  });

  it('that fail for a moment are not taken from whom they serve', async () => {
    const { wait } = activities();
    await wait('llama', routeHolder('hr'));
    cluster.failure = 'restarting';

    await expect(wait('llama', runHolder('1'))).rejects.toThrow('restarting');

    expect(cluster.removed).toEqual([]);
  });

  describe('that a route needs and their provider has lost', () => {
    const look = () => redeployLost({ deployers: () => cluster, deployments: lineage.deployments });
    const lost = { provider: 'cluster', model: 'llama' };

    it('are deployed again, once', async () => {
      const { wait } = activities();
      await wait('llama', routeHolder('hr'));
      await wait('only-a-run-s', runHolder('1'));
      cluster.running.clear();

      expect(await look()).toEqual([{ ...lost, problem: null }]);
      expect([...cluster.running.keys()]).toEqual(['nim-llama']);
      // Not ready yet, it is there all the same.
      expect(await look()).toEqual([]);
    });

    it('say why they cannot be, and keep no other from it', async () => {
      const { wait } = activities();
      for (const model of ['a-gone-one', 'llama']) await wait(model, routeHolder('hr'));
      cluster.running.clear();
      const { deploy } = cluster;
      cluster.deploy = async (target) => {
        if (target.model === 'a-gone-one') throw new RejectedError('no trainer has it');
        return deploy.call(cluster, target);
      };

      expect(await look()).toEqual([
        { ...lost, model: 'a-gone-one', problem: 'no trainer has it' },
        { ...lost, problem: null },
      ]);
      cluster.running.clear();
      cluster.failure = 'insufficient GPUs';
      expect(await look()).toContainEqual({
        ...lost,
        problem: 'cluster could not deploy llama: insufficient GPUs.',
      });
    });

    it('leave nothing behind that fails at once, so that the next look tries again', async () => {
      const { wait } = activities();
      await wait('llama', routeHolder('hr'));
      cluster.running.clear();
      const { get } = cluster;
      // As of a vLLM, which lists what it has loaded and proves it only at a deployment.
      cluster.get = async (id) => {
        const found = await get.call(cluster, id);
        return found && { ...found, status: 'ready', error: null };
      };
      cluster.failure = 'not applied';

      const problem = 'cluster could not deploy llama: not applied.';
      expect(await look()).toEqual([{ ...lost, problem }]);
      expect([...cluster.running.keys()]).toEqual([]);
      expect(await look()).toEqual([{ ...lost, problem }]);
      cluster.failure = null;
      expect(await look()).toEqual([{ ...lost, problem: null }]);
    });

    it('that are there and have failed are asked for again, and say why they are not back', async () => {
      const { wait } = activities();
      await wait('llama', routeHolder('hr'));
      cluster.failure = 'the pod died';

      expect(await look()).toEqual([{ ...lost, problem: 'cluster could not deploy llama: the pod died.' }]);
      const { deploy } = cluster;
      cluster.deploy = async (target) => {
        cluster.failure = null;
        return deploy.call(cluster, target);
      };
      expect(await look()).toEqual([{ ...lost, problem: null }]);
      expect(await look()).toEqual([]);
      // It may come back by itself, and serve others beside.
      expect(cluster.removed).toEqual([]);
    });

    it('stay gone where others made them, and where nobody needs them any more', async () => {
      cluster.foreign = ['nim-llama'];
      const { wait, leaveRoute } = activities();
      await wait('llama', routeHolder('hr'));
      await wait('left', routeHolder('it'));
      cluster.removal = new UnavailableError('the cluster is down');
      await expect(leaveRoute('it')).rejects.toThrow('the cluster is down');
      cluster.running.clear();

      expect(await look()).toEqual([]);
      expect(cluster.running.size).toBe(0);
    });
  });

  it('stay while a route serves them or would go back to them, and a time of grace beyond', async () => {
    // Routes and moves outlive the test: a second attempt makes its own.
    const workloadId = `hr-${randomUUID()}`;
    await approvedRun(lineage, `run-${workloadId}`);
    const move = (model: string) =>
      lineage.routes.move({
        ...{
          moveId: `${workloadId}/${model}`,
          workloadId,
          digest: null,
          runId: null,
          kind: 'rollback' as const,
        },
        serving: { provider: 'cluster', model, fewShotUri: null, maxTokens: 64 },
        ...{ actor: 'ada', reason: 'a test' },
      });
    const { wait, leaveRoute } = activities();
    for (const model of ['first', 'second', 'third']) {
      await wait(model, routeHolder(workloadId));
      await move(model);
      await leaveRoute(workloadId);
    }
    expect([...cluster.running.keys()]).toEqual(['nim-second', 'nim-third']);

    await wait('fourth', routeHolder(workloadId));
    await move('fourth');
    const kept = await activities(5_000, 60_000).leaveRoute(workloadId);
    expect(kept).toEqual({ removed: [], keptForMs: expect.any(Number) });
    expect(kept.keptForMs).toBeLessThanOrEqual(60_000);
    expect([...cluster.running.keys()]).toEqual(['nim-second', 'nim-third', 'nim-fourth']);
  });

  it('tell how long they are kept, and are gone when that is over', async () => {
    const { wait, leaveRoute } = activities(5_000, 3_000);
    await wait('llama', routeHolder('it'));

    const first = await leaveRoute('it');
    expect(first).toEqual({ removed: [], keptForMs: expect.any(Number) });
    await new Promise((resolve) => setTimeout(resolve, first.keptForMs));

    expect(await leaveRoute('it')).toEqual({ removed: ['llama'] });
    expect(cluster.running.size).toBe(0);
  });
});
