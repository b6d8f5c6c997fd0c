/** Workflow tasks only: a process of its own, so that no busy activity delays a decision. */
export const workflowQueue = 'flywheel-workflows';

/** Activities that need no device and may take hours: data and evaluations. */
export const activityQueue = 'flywheel-activities';

/** What takes moments and others wait for (lineage, approvals, moves of a route): never behind an evaluation. */
export const promptQueue = 'flywheel-prompt';

/** One queue per pool of accelerators; a slot of its worker is the lease (design, section 5). */
export function gpuQueue(pool: string): string {
  return `gpu:${pool}`;
}
