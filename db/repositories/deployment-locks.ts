import { asc, type SQL } from 'drizzle-orm';
import type { Queries } from '../connect.ts';
import { deploymentHolds, deployments } from '../schema/deployments.ts';

// Whoever takes several rows takes them in this order, deployments before holds: two that did it in different ones
// would wait for each other, and PostgreSQL would end one of them.

export function lockDeployments(tx: Queries, which?: SQL) {
  const { provider, model, removingSince } = deployments;
  return tx
    .select({ provider, model, removingSince })
    .from(deployments)
    .where(which)
    .orderBy(asc(provider), asc(model))
    .for('update');
}

export function lockHolds(tx: Queries, which: SQL | undefined) {
  const { provider, model, holder } = deploymentHolds;
  return tx
    .select({ provider, model, holder })
    .from(deploymentHolds)
    .where(which)
    .orderBy(asc(provider), asc(model), asc(holder))
    .for('update');
}
