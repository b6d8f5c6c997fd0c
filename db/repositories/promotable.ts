import { sql } from 'drizzle-orm';

/**
 * Of a gate `approval_gates`: its winner may still get traffic. It waits for a person, or a person said yes and the
 * route has not moved yet; a move that was taken back has moved.
 */
export const mayBePromoted = sql`(
  approval_gates.status = 'pending' or (
    approval_gates.status = 'approved' and not exists (
      select from route_moves m where m.run_id = approval_gates.run_id and m.kind = 'promotion'
    )
  )
)`;
