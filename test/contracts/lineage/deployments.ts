import { expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import { UnavailableError } from '../../../domain/errors.ts';
import { approvedRun, aRun, aServing } from '../../support/lineage.ts';

export function deploymentCases(lineage: () => Lineage): void {
  const base = { provider: 'cluster', model: 'llama', baseModel: null };
  const adapter = { provider: 'cluster', model: 'llama-hr', baseModel: 'llama' };
  const deployments = () => lineage().deployments;
  const held = async () =>
    Object.fromEntries((await deployments().list()).map(({ model, holders }) => [model, holders]));
  const claimed = async () => (await deployments().claimUnused()).map(({ model }) => model);

  it('knows who holds a model, however often they say so', async () => {
    await deployments().hold(base, 'run:1');
    await deployments().hold(base, 'run:1');
    await deployments().hold(base, 'run:2');

    expect(await held()).toEqual({ llama: ['run:1', 'run:2'] });
    expect(await claimed()).toEqual([]);
  });

  it('holds the base model with its adapter, and gives the adapter back first', async () => {
    await deployments().hold(adapter, 'run:1');
    expect(await held()).toEqual({ llama: ['run:1'], 'llama-hr': ['run:1'] });

    await deployments().release('run:1');

    expect(await claimed()).toEqual(['llama-hr', 'llama']);
  });

  it('keeps what another holder needs', async () => {
    await deployments().hold(base, 'run:1');
    await deployments().hold(adapter, 'route:hr');

    await deployments().release('run:1');

    expect(await claimed()).toEqual([]);
    expect(await held()).toEqual({ llama: ['route:hr'], 'llama-hr': ['route:hr'] });
  });

  it('keeps the exceptions of a release, with their base models', async () => {
    await deployments().hold(adapter, 'route:hr');
    await deployments().hold({ provider: 'cluster', model: 'old', baseModel: 'older' }, 'route:hr');

    await deployments().release('route:hr', { except: [{ provider: 'cluster', model: 'llama-hr' }] });

    expect(await held()).toEqual({ llama: ['route:hr'], 'llama-hr': ['route:hr'], old: [], older: [] });
  });

  it('keeps what was released for its time of grace, and again once it is held anew', async () => {
    await deployments().hold(base, 'route:hr');
    await deployments().release('route:hr', { keepMs: 60_000 });
    expect(await claimed()).toEqual([]);

    await deployments().hold(base, 'route:hr');
    await deployments().release('route:hr');
    await deployments().hold(base, 'route:hr');

    expect(await claimed()).toEqual([]);
  });

  it('does not shorten a time of grace by a second release', async () => {
    await deployments().hold(base, 'route:hr');
    await deployments().release('route:hr', { keepMs: 60_000 });

    await deployments().release('route:hr');

    expect(await claimed()).toEqual([]);
  });

  it('holds for good again what a release keeps, though an earlier one let it go', async () => {
    await deployments().hold(adapter, 'route:hr');
    await deployments().release('route:hr', { keepMs: 60_000 });

    await deployments().release('route:hr', { except: [{ provider: 'cluster', model: 'llama-hr' }] });

    expect(await deployments().keptForMs('route:hr')).toBeNull();
    expect(await claimed()).toEqual([]);
    expect(await held()).toEqual({ llama: ['route:hr'], 'llama-hr': ['route:hr'] });
  });

  it('lets nobody hold what is being removed, and everybody once it is forgotten', async () => {
    await deployments().hold(base, 'run:1');
    await deployments().recordDeployment(base, { id: 'nim-1', ours: true });
    await deployments().release('run:1');
    expect(await deployments().claimUnused()).toEqual([
      {
        ...base,
        deploymentId: 'nim-1',
        ours: true,
        removing: true,
        abandoned: false,
        holders: [],
        claim: expect.any(String),
      },
    ]);

    await expect(deployments().hold(base, 'run:2')).rejects.toThrow(UnavailableError);
    // It is one caller's, until that one must have died; then the next one finishes.
    expect(await claimed()).toEqual([]);
    const again = await deployments().claimUnused({ staleMs: 0 });
    expect(again.map(({ model }) => model)).toEqual(['llama']);

    for (const one of again) await deployments().forget(one);
    await deployments().hold(base, 'run:2');
    expect(await deployments().list()).toEqual([
      { ...base, deploymentId: null, ours: false, removing: false, abandoned: false, holders: ['run:2'] },
    ]);
  });

  it('knows the holds that no run under way accounts for, and releases them', async () => {
    for (const runId of ['open', 'lost', 'ended']) {
      await lineage().runs.open(aRun(runId));
      await deployments().hold({ ...base, model: runId }, `run:${runId}`);
    }
    await deployments().hold({ ...base, model: 'unheard-of' }, 'run:unheard-of');
    await lineage().runs.close('ended', 'completed');
    const stray = (runId: string) => ({ provider: 'cluster', model: runId, holder: `run:${runId}` });

    expect(await deployments().strayHolds([])).toEqual([stray('ended'), stray('unheard-of')]);
    expect(await deployments().strayHolds(['lost'])).toEqual(['ended', 'lost', 'unheard-of'].map(stray));
    expect(await deployments().releaseStrayHolds(['lost'])).toHaveLength(3);

    expect(await held()).toEqual({ ended: [], lost: [], open: ['run:open'], 'unheard-of': [] });
    expect(await deployments().strayHolds(['lost'])).toEqual([]);
  });

  it('knows the holds of a route that serves other models, with the bases of those that it serves', async () => {
    const { digest, serving } = await approvedRun(lineage(), 'run-1');
    const move = (moveId: string, model: string) =>
      lineage().routes.move({
        ...{ moveId, workloadId: 'hr', kind: 'rollback', digest: null, runId: null },
        ...{ serving: aServing(model, { provider: 'cluster' }), actor: 'ada', reason: 'a test' },
      });
    await deployments().hold(adapter, 'route:hr');
    await deployments().hold({ ...base, model: 'old', baseModel: 'older' }, 'route:hr');
    await deployments().hold({ ...serving, baseModel: 'nano-1m' }, 'route:hr');
    await deployments().hold(base, 'route:it');
    await move('one', 'old');
    await move('two', 'llama-hr');
    const strays = async (over: string[] = []) =>
      (await deployments().strayHolds(over)).map(({ holder, model }) => [holder, model]);

    // What was approved and not moved to is about to be, unless it is known that it is not.
    expect(await strays()).toEqual([['route:it', 'llama']]);
    expect(await strays(['run-1'])).toEqual([
      ['route:hr', serving.model],
      ['route:hr', 'nano-1m'],
      ['route:it', 'llama'],
    ]);
    await lineage().routes.move({
      ...{ moveId: 'three', workloadId: 'hr', kind: 'promotion', serving, digest, runId: 'run-1' },
      ...{ actor: 'ada', reason: 'a test' },
    });
    expect(await strays(['run-1'])).toEqual([
      ['route:hr', 'old'],
      ['route:hr', 'older'],
      ['route:it', 'llama'],
    ]);
  });

  it('can be held again once its removal was given up', async () => {
    await deployments().hold(base, 'run:1');
    await deployments().release('run:1');
    const [first] = await deployments().claimUnused();

    if (first) await deployments().unclaim(first);

    const [second] = await deployments().claimUnused();
    expect(second).toMatchObject(base);
    if (second) await deployments().unclaim(second);
    await deployments().hold(base, 'run:2');
    expect(await claimed()).toEqual([]);
  });

  it('gives a claim to one caller at a time, and nothing to whoever has lost it', async () => {
    await deployments().hold(base, 'run:1');
    await deployments().release('run:1');
    const [slow] = await deployments().claimUnused();
    const [next] = await deployments().claimUnused({ staleMs: 0 });
    if (!slow || !next) throw new Error('nothing was claimed');

    expect(await deployments().renewClaim(slow)).toBeNull();
    await deployments().unclaim(slow);
    await deployments().forget(slow);
    expect(await deployments().list()).toMatchObject([{ ...base, removing: true }]);

    const renewed = await deployments().renewClaim(next);
    expect(renewed).toMatchObject(base);
    expect(await deployments().renewClaim(next)).toBeNull();
    if (renewed) await deployments().forget(renewed);
    expect(await held()).toEqual({});

    // Deployed anew for somebody else, it has nothing to do with the claims of before.
    await deployments().hold(base, 'run:2');
    expect(await deployments().renewClaim(slow)).toBeNull();
    await deployments().forget(slow);
    expect(await held()).toEqual({ llama: ['run:2'] });
  });

  it('takes what was begun for ours, until the provider tells whose it is', async () => {
    const ours = async () =>
      (await deployments().list()).map(({ deploymentId, ours: made }) => [deploymentId, made]);
    await deployments().hold(base, 'run:1');

    expect(await deployments().begin(base, 'run:1')).toBe(true);
    expect(await ours()).toEqual([[null, true]]);
    await deployments().recordDeployment(base, { id: 'somebodys', ours: false });
    expect(await ours()).toEqual([['somebodys', false]]);
    // What somebody else had there may have gone: then the next one is ours, of another name.
    await deployments().begin(base, 'run:1');
    expect(await ours()).toEqual([[null, true]]);
    await deployments().recordDeployment(base, { id: 'nim-1', ours: true });
    await deployments().begin(base, 'run:1');
    expect(await ours()).toEqual([['nim-1', true]]);
  });

  it('lets nobody begin what was given back', async () => {
    expect(await deployments().begin(base, 'run:1')).toBe(false);
    await deployments().hold(base, 'run:1');
    await deployments().hold(base, 'run:2');
    await deployments().release('run:1');
    expect(await deployments().begin(base, 'run:1')).toBe(false);
    await deployments().release('run:2');
    await deployments().claimUnused();

    expect(await deployments().begin(base, 'run:2')).toBe(false);
  });

  it('keeps what somebody slow tells of after it was given back, for the next one to remove', async () => {
    await deployments().recordDeployment(adapter, { id: 'nim-1#llama-hr', ours: true });
    const [first] = await deployments().claimUnused();
    expect(first).toMatchObject({ ...adapter, deploymentId: 'nim-1#llama-hr' });

    await deployments().recordDeployment(adapter, { id: 'nim-2#llama-hr', ours: true });
    if (first) await deployments().forget(first);

    expect(await deployments().claimUnused()).toMatchObject([{ ...adapter, deploymentId: 'nim-2#llama-hr' }]);
  });

  it('either holds or removes, when both are asked for at once', async () => {
    for (let round = 0; round < 10; round++) {
      const target = { ...base, model: `m${round}` };
      await deployments().hold(target, 'run:1');
      await deployments().release('run:1');

      const [hold, claim] = await Promise.allSettled([
        deployments().hold(target, 'run:2'),
        deployments().claimUnused(),
      ]);

      const removed = claim.status === 'fulfilled' && claim.value.some(({ model }) => model === target.model);
      expect(hold.status).toBe(removed ? 'rejected' : 'fulfilled');
    }
  });
}
