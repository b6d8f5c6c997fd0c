CREATE TABLE "taken_records" (
	"workload_id" text NOT NULL,
	"record_id" text NOT NULL,
	"snapshot_id" text NOT NULL,
	CONSTRAINT "taken_records_workload_id_record_id_pk" PRIMARY KEY("workload_id","record_id")
);
--> statement-breakpoint
ALTER TABLE "snapshots" ADD COLUMN "kind" text DEFAULT 'deep' NOT NULL;--> statement-breakpoint
ALTER TABLE "taken_records" ADD CONSTRAINT "taken_records_workload_id_workloads_id_fk" FOREIGN KEY ("workload_id") REFERENCES "public"."workloads"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "taken_records" ADD CONSTRAINT "taken_records_snapshot_id_snapshots_id_fk" FOREIGN KEY ("snapshot_id") REFERENCES "public"."snapshots"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "taken_records_snapshot" ON "taken_records" USING btree ("snapshot_id");--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_kind" CHECK ("snapshots"."kind" in ('incremental', 'deep'));