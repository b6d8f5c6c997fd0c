-- A decision's id is unique within its gate only; at most one decision per gate, as before.
ALTER TABLE "approvals" DROP CONSTRAINT "approvals_pkey";--> statement-breakpoint
ALTER TABLE "approvals" ADD PRIMARY KEY ("run_id");--> statement-breakpoint
DROP INDEX "approvals_run";
