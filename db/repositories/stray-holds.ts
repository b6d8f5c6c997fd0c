import { and, isNull, type SQL, sql } from 'drizzle-orm';
import type { Hold } from '../../activities/ports/deployment-lineage.ts';
import { routeHolder, runHolder } from '../../domain/deployments/holder.ts';
import type { Database } from '../connect.ts';
import { deploymentHolds } from '../schema/deployments.ts';
import { lockHolds } from './deployment-locks.ts';
import { mayBePromoted } from './promotable.ts';

const columns = {
  provider: deploymentHolds.provider,
  model: deploymentHolds.model,
  holder: deploymentHolds.holder,
};

export function strayHolds(db: Database, over: readonly string[]): Promise<Hold[]> {
  return db
    .select(columns)
    .from(deploymentHolds)
    .where(isStray(over))
    .orderBy(columns.holder, columns.provider, columns.model);
}

/** One statement: between a look and a release a rollout could have come to hold it. */
export function releaseStrayHolds(db: Database, over: readonly string[]): Promise<Hold[]> {
  const stray = lockHolds(db, isStray(over));
  return db
    .update(deploymentHolds)
    .set({ keptUntil: sql`now()` })
    .where(sql`(deployment_holds.provider, deployment_holds.model, deployment_holds.holder) in ${stray}`)
    .returning(columns);
}

/** A hold that neither a run under way nor the holder's route accounts for. */
function isStray(over: readonly string[]): SQL | undefined {
  const isOver = (runId: SQL) =>
    sql`${runId} in (select jsonb_array_elements_text(${JSON.stringify(over)}::jsonb))`;
  const [run, route] = [runHolder(''), routeHolder('')];
  return and(
    isNull(deploymentHolds.keptUntil),
    sql`case
      when starts_with(deployment_holds.holder, ${run}) then not exists (
        select from runs r
        where r.status = 'running' and ${run}::text || r.id = deployment_holds.holder and not ${isOver(sql`r.id`)}
      )
      when starts_with(deployment_holds.holder, ${route}) then not exists (
        select from (
          select workload_id, serving from routes
          union all
          select workload_id, previous from routes
          union all
          select approval_gates.workload_id, v.serving
          from approval_gates join verdicts v on v.run_id = approval_gates.run_id
          where ${mayBePromoted} and not ${isOver(sql`approval_gates.run_id`)}
        ) needed
        where ${route}::text || needed.workload_id = deployment_holds.holder
          and needed.serving->>'provider' = deployment_holds.provider
          and (needed.serving->>'model' = deployment_holds.model or exists (
            select from deployments d
            where d.provider = deployment_holds.provider and d.model = needed.serving->>'model'
              and d.base_model = deployment_holds.model
          ))
      )
      else false
    end`,
  );
}
