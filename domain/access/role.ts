/**
 * What a token may do. None implies another; a token holds one or several.
 *
 * - `ingest`: send calls, records and feedback.
 * - `operate`: start and stop runs.
 * - `approve`: decide on a run's verdict.
 * - `read`: see runs, workloads, routes and lineage.
 */
export const roles = ['ingest', 'operate', 'approve', 'read'] as const;
export type Role = (typeof roles)[number];
