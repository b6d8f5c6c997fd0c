CREATE TABLE "sweeps" (
	"id" text PRIMARY KEY NOT NULL,
	"schedule_id" text,
	"cadence" text NOT NULL,
	"workload_id" text NOT NULL,
	"outcome" text NOT NULL,
	"reason" text NOT NULL,
	"new_records" integer,
	"run_id" text,
	"scheduled_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sweeps_cadence" CHECK ("sweeps"."cadence" in ('daily', 'weekly', 'volume')),
	CONSTRAINT "sweeps_outcome" CHECK ("sweeps"."outcome" in ('started', 'queued', 'skipped', 'failed'))
);
--> statement-breakpoint
CREATE INDEX "sweeps_workload" ON "sweeps" USING btree ("workload_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "sweeps_schedule" ON "sweeps" USING btree ("schedule_id","created_at" DESC NULLS LAST);