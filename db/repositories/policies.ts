import { count, desc, eq, max, min } from 'drizzle-orm';
import type { PolicyLineage } from '../../activities/ports/policy-lineage.ts';
import type { Database } from '../connect.ts';
import { one, toIso } from '../rows.ts';
import { policies, runs } from '../schema/runs.ts';

export function createPolicyLineage(db: Database): PolicyLineage {
  return {
    async record(version, policy) {
      await db.insert(policies).values({ version, content: policy }).onConflictDoNothing();
    },
    async get(version) {
      const found = await db.select().from(policies).where(eq(policies.version, version));
      return one(found, `policy "${version}"`).content;
    },
    async uses(workloadId) {
      const lastUsed = max(runs.startedAt);
      const rows = await db
        .select({
          version: policies.version,
          runs: count(),
          firstUsed: min(runs.startedAt),
          lastUsed,
        })
        .from(runs)
        .innerJoin(policies, eq(policies.version, runs.policyVersion))
        .where(eq(runs.workloadId, workloadId))
        .groupBy(policies.version)
        .orderBy(desc(lastUsed));
      return rows.map((row) => ({
        ...row,
        firstUsed: toIso(row.firstUsed ?? ''),
        lastUsed: toIso(row.lastUsed ?? ''),
      }));
    },
  };
}
