import type { RouteMove } from '../domain/routes/move.ts';
import type { Route } from '../domain/routes/route.ts';
import type { Lineage } from './ports/lineage.ts';

export interface EndedMove {
  readonly move: RouteMove;
  readonly route: Route | null;
  /** `not_deployed`: a promotion that moved nothing, because its model could not be deployed. */
  readonly outcome: 'moved' | 'restored' | 'unproven' | 'not_deployed';
  /** What the gateway showed, or why the move was taken back, could not be shown or was never made. */
  readonly detail: string;
}

/** Writes to the audit log how a move ended. */
export function createRecordMove({
  lineage,
}: {
  readonly lineage: { readonly audit: Pick<Lineage['audit'], 'append'> };
}) {
  async function recordMove({ move, route, outcome, detail }: EndedMove): Promise<void> {
    await lineage.audit.append({
      id: `move:${move.moveId}:${outcome}`,
      workloadId: move.workloadId,
      runId: move.runId ?? null,
      actor: move.actor,
      actorSource: 'workflow',
      action: `${move.kind}_${outcome}`,
      detail: {
        reason: move.reason,
        // A move that was never made says nothing of the route, which stands where it stood.
        ...(outcome !== 'not_deployed' && {
          version: route?.version ?? 0,
          model: route?.serving?.model ?? null,
        }),
        detail,
      },
    });
  }
  return { recordMove };
}
