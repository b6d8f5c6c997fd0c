import type { Queries } from '../connect.ts';
import { workloads } from '../schema/runs.ts';

/** A workload exists from its first run, gate or route on. */
export async function ensureWorkload(db: Queries, id: string): Promise<void> {
  await db.insert(workloads).values({ id }).onConflictDoNothing();
}
