import { and, asc, eq, gt, isNull, lt, not, or, type SQL, sql } from 'drizzle-orm';
import type { DeploymentTarget } from '../../activities/ports/deployer.ts';
import {
  type ClaimedDeployment,
  claimLastsMs,
  type DeploymentLineage,
  type ProviderModel,
  type RecordedDeployment,
} from '../../activities/ports/deployment-lineage.ts';
import { UnavailableError } from '../../domain/errors.ts';
import type { Database, Queries } from '../connect.ts';
import { deploymentHolds, deployments } from '../schema/deployments.ts';
import { lockDeployments, lockHolds } from './deployment-locks.ts';
import { releaseStrayHolds, strayHolds } from './stray-holds.ts';

/** Of a hold `h`. Names are written out: in a selection drizzle leaves the table's away. */
const lives = sql`(h.kept_until is null or h.kept_until > now())`;

/** Whether the row of `deployments` is held, by the holder or, without one, by anybody. */
function isHeld(holder?: string): SQL {
  const by = holder === undefined ? sql`` : sql`and h.holder = ${holder}`;
  return sql`exists (
    select from deployment_holds h
    where h.provider = deployments.provider and h.model = deployments.model and ${lives} ${by}
  )`;
}

export function createDeploymentLineage(db: Database): DeploymentLineage {
  return {
    hold: (target, holder) => db.transaction((tx) => hold(tx, target, holder)),
    begin: (key, holder) => begin(db, key, holder),
    async recordDeployment({ provider, model, baseModel }, { id, ours }) {
      await db
        .insert(deployments)
        .values({ provider, model, baseModel, deploymentId: id, ours })
        .onConflictDoUpdate({
          target: [deployments.provider, deployments.model],
          set: { deploymentId: id, ours },
        });
    },
    release: (holder, { keepMs = 0, except = [] } = {}) =>
      db.transaction((tx) => release(tx, holder, keepMs, except)),
    claimUnused: ({ staleMs = claimLastsMs } = {}) => db.transaction((tx) => claimUnused(tx, staleMs)),
    renewClaim: (claimed) => renewClaim(db, claimed),
    unclaim: (claimed) => unclaim(db, claimed),
    forget: (claimed) => forget(db, claimed),
    keptForMs: (holder) => keptForMs(db, holder),
    strayHolds: (over) => strayHolds(db, over),
    releaseStrayHolds: (over) => releaseStrayHolds(db, over),
    list: () => read(db),
  };
}

async function hold(
  tx: Queries,
  { provider, model, baseModel }: DeploymentTarget & ProviderModel,
  holder: string,
): Promise<void> {
  const base = baseModel === null ? [] : [{ provider, model: baseModel, baseModel: null }];
  const needed = [...base, { provider, model, baseModel }];
  await tx.insert(deployments).values(needed).onConflictDoNothing();
  const rows = await lockDeployments(tx, or(...needed.map((one) => is(deployments, one))));
  // Forgotten between the two statements, or being removed: either way it can be made anew in a moment.
  const gone = needed.find(
    (one) => !rows.some((row) => row.model === one.model && row.removingSince === null),
  );
  if (gone !== undefined) {
    throw new UnavailableError(`The deployment of ${gone.model} at ${provider} is being removed.`, {
      kind: 'busy',
    });
  }
  await tx
    .insert(deploymentHolds)
    .values(rows.map((row) => ({ provider, model: row.model, holder })))
    .onConflictDoUpdate({
      target: [deploymentHolds.provider, deploymentHolds.model, deploymentHolds.holder],
      set: { keptUntil: null },
    });
}

async function begin(db: Database, key: ProviderModel, holder: string): Promise<boolean> {
  const begun = await db
    .update(deployments)
    // A name that is known to be ours stays; somebody else's is of no use to whoever looks for ours.
    .set({ ours: true, deploymentId: sql`case when ours then deployment_id end` })
    .where(and(is(deployments, key), isNull(deployments.removingSince), isHeld(holder)))
    .returning({ model: deployments.model });
  return begun.length > 0;
}

/** The moment in which a claim began is its token: the next one begins at another. */
function isClaimed(claimed: ClaimedDeployment): SQL | undefined {
  return and(is(deployments, claimed), eq(deployments.removingSince, claimed.claim));
}

async function renewClaim(db: Database, claimed: ClaimedDeployment): Promise<ClaimedDeployment | null> {
  const [renewed] = await db
    .update(deployments)
    .set({ removingSince: sql`now()` })
    .where(isClaimed(claimed))
    .returning({ claim: deployments.removingSince });
  return renewed?.claim == null ? null : { ...claimed, claim: renewed.claim };
}

async function unclaim(db: Database, claimed: ClaimedDeployment): Promise<void> {
  await db.update(deployments).set({ removingSince: null }).where(isClaimed(claimed));
}

async function forget(db: Database, claimed: ClaimedDeployment): Promise<void> {
  const forgotten = await db
    .delete(deployments)
    .where(
      and(isClaimed(claimed), sql`${deployments.deploymentId} is not distinct from ${claimed.deploymentId}`),
    )
    .returning({ model: deployments.model });
  // Somebody who was slow told of one only now: it is nobody's, and the next one removes it.
  if (forgotten.length === 0) await unclaim(db, claimed);
}

/**
 * A base model stays held by whoever keeps an adapter on it. What is kept is held for good again, though somebody
 * had released it meanwhile.
 */
async function release(
  tx: Queries,
  holder: string,
  keepMs: number,
  except: readonly ProviderModel[],
): Promise<void> {
  const { keptUntil } = deploymentHolds;
  await lockHolds(
    tx,
    and(eq(deploymentHolds.holder, holder), or(isNull(keptUntil), gt(keptUntil, sql`now()`))),
  );
  const kept = except.map(({ provider, model }) => or(holdOf(provider, model), baseOf(provider, model)));
  if (kept.length > 0)
    await tx
      .update(deploymentHolds)
      .set({ keptUntil: null })
      .where(and(eq(deploymentHolds.holder, holder), gt(deploymentHolds.keptUntil, sql`now()`), or(...kept)));
  await tx
    .update(deploymentHolds)
    .set({ keptUntil: sql`now() + ${keepMs} * interval '1 millisecond'` })
    .where(
      and(
        eq(deploymentHolds.holder, holder),
        isNull(deploymentHolds.keptUntil),
        ...kept.map((one) => (one ? not(one) : undefined)),
      ),
    );
}

function holdOf(provider: string, model: string): SQL | undefined {
  return and(eq(deploymentHolds.provider, provider), eq(deploymentHolds.model, model));
}

function baseOf(provider: string, adapter: string): SQL {
  return sql`(deployment_holds.provider = ${provider} and deployment_holds.model is not distinct from (
    select d.base_model from deployments d where d.provider = ${provider} and d.model = ${adapter}
  ))`;
}

async function claimUnused(tx: Queries, staleMs: number): Promise<readonly ClaimedDeployment[]> {
  await lockDeployments(tx);
  const claimed = await tx
    .update(deployments)
    .set({ removingSince: sql`now()` })
    .where(or(isStale(staleMs), and(isNull(deployments.removingSince), sql`not ${isHeld()}`)))
    .returning({
      provider: deployments.provider,
      model: deployments.model,
      claim: deployments.removingSince,
    });
  const ours = (await read(tx)).flatMap((row) => {
    const same = claimed.find(({ provider, model }) => provider === row.provider && model === row.model);
    return same?.claim == null ? [] : [{ ...row, claim: same.claim }];
  });
  return ours.sort((a, b) => Number(a.baseModel === null) - Number(b.baseModel === null));
}

function isStale(staleMs: number): SQL {
  return lt(deployments.removingSince, sql`now() - ${staleMs} * interval '1 millisecond'`);
}

async function keptForMs(db: Database, holder: string): Promise<number | null> {
  const [left] = await db
    .select({
      ms: sql<
        number | null
      >`ceil(extract(epoch from max(${deploymentHolds.keptUntil}) - now()) * 1000)::float8`,
    })
    .from(deploymentHolds)
    .where(and(eq(deploymentHolds.holder, holder), gt(deploymentHolds.keptUntil, sql`now()`)));
  return left?.ms ?? null;
}

async function read(db: Queries): Promise<readonly RecordedDeployment[]> {
  const rows = await db
    .select({
      provider: deployments.provider,
      model: deployments.model,
      baseModel: deployments.baseModel,
      deploymentId: deployments.deploymentId,
      ours: deployments.ours,
      removing: sql<boolean>`${deployments.removingSince} is not null`,
      abandoned: sql<boolean>`coalesce(${isStale(claimLastsMs)}, false)`,
      holders: sql<string[]>`array(
        select h.holder from deployment_holds h
        where h.provider = deployments.provider and h.model = deployments.model and ${lives}
        order by h.created_at, h.holder
      )`,
    })
    .from(deployments)
    .orderBy(asc(deployments.provider), asc(deployments.model));
  return rows;
}

function is(table: typeof deployments, { provider, model }: ProviderModel): SQL | undefined {
  return and(eq(table.provider, provider), eq(table.model, model));
}
