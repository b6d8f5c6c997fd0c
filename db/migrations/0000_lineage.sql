CREATE TABLE "approval_gates" (
	"run_id" text PRIMARY KEY NOT NULL,
	"workload_id" text NOT NULL,
	"digest" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	CONSTRAINT "approval_gates_status" CHECK ("approval_gates"."status" in ('pending', 'approved', 'rejected', 'expired', 'superseded'))
);
--> statement-breakpoint
CREATE TABLE "approvals" (
	"id" text PRIMARY KEY NOT NULL,
	"run_id" text NOT NULL,
	"outcome" text NOT NULL,
	"actor" text NOT NULL,
	"actor_source" text NOT NULL,
	"reason" text NOT NULL,
	"digest" text NOT NULL,
	"override" boolean NOT NULL,
	"decided_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "approvals_outcome" CHECK ("approvals"."outcome" in ('approve', 'reject')),
	CONSTRAINT "approvals_actor_source" CHECK ("approvals"."actor_source" in ('local', 'signal', 'token'))
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" text PRIMARY KEY NOT NULL,
	"sequence" bigint GENERATED ALWAYS AS IDENTITY (sequence name "audit_log_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"actor" text NOT NULL,
	"actor_source" text NOT NULL,
	"action" text NOT NULL,
	"workload_id" text NOT NULL,
	"run_id" text,
	"detail" json
);
--> statement-breakpoint
CREATE TABLE "route_moves" (
	"id" text PRIMARY KEY NOT NULL,
	"workload_id" text NOT NULL,
	"version" integer NOT NULL,
	"kind" text NOT NULL,
	"serving" jsonb,
	"previous" jsonb,
	"digest" text,
	"run_id" text,
	"actor" text NOT NULL,
	"reason" text NOT NULL,
	"moved_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "route_moves_kind" CHECK ("route_moves"."kind" in ('promotion', 'rollback', 'restore'))
);
--> statement-breakpoint
CREATE TABLE "routes" (
	"workload_id" text PRIMARY KEY NOT NULL,
	"version" integer NOT NULL,
	"serving" jsonb,
	"previous" jsonb,
	"digest" text,
	"run_id" text,
	"since" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "verdicts" (
	"run_id" text PRIMARY KEY NOT NULL,
	"outcome" text NOT NULL,
	"winner_experiment_id" text,
	"winner_candidate" text,
	"winner_strategy" text,
	"reason" text NOT NULL,
	"primary_metric" text NOT NULL,
	"threshold" double precision NOT NULL,
	"digest" text NOT NULL,
	"serving" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "verdicts_outcome" CHECK ("verdicts"."outcome" in ('promote', 'hold', 'inconclusive'))
);
--> statement-breakpoint
CREATE TABLE "adapters" (
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"base_model" text NOT NULL,
	"job_id" text NOT NULL,
	"experiment_id" text NOT NULL,
	"dataset_id" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "adapters_provider_model_pk" PRIMARY KEY("provider","model")
);
--> statement-breakpoint
CREATE TABLE "candidates" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "candidates_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"settings" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "evaluation_items" (
	"evaluation_id" text NOT NULL,
	"item_id" text NOT NULL,
	"record_id" text NOT NULL,
	"response" json,
	"failure" text,
	"failure_detail" text,
	"scores" json NOT NULL,
	"latency_ms" double precision,
	"prompt_tokens" integer,
	"completion_tokens" integer,
	"stored_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "evaluation_items_evaluation_id_item_id_pk" PRIMARY KEY("evaluation_id","item_id")
);
--> statement-breakpoint
CREATE TABLE "evaluations" (
	"id" text PRIMARY KEY NOT NULL,
	"experiment_id" text NOT NULL,
	"dataset_id" text NOT NULL,
	"serving" jsonb NOT NULL,
	"total" integer NOT NULL,
	"n" integer,
	"failed" integer,
	"failures" jsonb,
	"metrics" json,
	"latency_p_50_ms" double precision,
	"latency_p_95_ms" double precision,
	"prompt_tokens" bigint,
	"completion_tokens" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"closed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "experiments" (
	"id" text PRIMARY KEY NOT NULL,
	"run_id" text NOT NULL,
	"candidate_id" bigint NOT NULL,
	"strategy" text NOT NULL,
	"role" text NOT NULL,
	"stage" text DEFAULT 'waiting' NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"serving" jsonb,
	"train_seconds" double precision,
	"failure_stage" text,
	"failure_reason" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "experiments_strategy" CHECK ("experiments"."strategy" in ('base', 'icl', 'lora')),
	CONSTRAINT "experiments_role" CHECK ("experiments"."role" in ('challenger', 'champion')),
	CONSTRAINT "experiments_stage" CHECK ("experiments"."stage" in ('waiting', 'preparing', 'training', 'evaluating', 'done')),
	CONSTRAINT "experiments_status" CHECK ("experiments"."status" in ('pending', 'running', 'succeeded', 'failed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"id" text PRIMARY KEY NOT NULL,
	"provider" text NOT NULL,
	"key" text NOT NULL,
	"experiment_id" text NOT NULL,
	"dataset_id" text NOT NULL,
	"status" text NOT NULL,
	"hyperparameters" jsonb,
	"step" integer,
	"total_steps" integer,
	"train_loss" double precision,
	"validation_loss" double precision,
	"error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "jobs_status" CHECK ("jobs"."status" in ('queued', 'running', 'succeeded', 'failed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "dataset_records" (
	"dataset_id" text NOT NULL,
	"record_id" text NOT NULL,
	"split" text NOT NULL,
	CONSTRAINT "dataset_records_dataset_id_record_id_pk" PRIMARY KEY("dataset_id","record_id"),
	CONSTRAINT "dataset_records_split" CHECK ("dataset_records"."split" in ('train', 'validation', 'eval'))
);
--> statement-breakpoint
CREATE TABLE "datasets" (
	"id" text PRIMARY KEY NOT NULL,
	"hash" text NOT NULL,
	"run_id" text NOT NULL,
	"workload_id" text NOT NULL,
	"snapshot_id" text NOT NULL,
	"seed" bigint NOT NULL,
	"splits" jsonb NOT NULL,
	"dropped" jsonb NOT NULL,
	"files" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" text PRIMARY KEY NOT NULL,
	"workflow_id" text NOT NULL,
	"workload_id" text NOT NULL,
	"reason" text NOT NULL,
	"requested_by" text NOT NULL,
	"plan" json,
	"stage" text DEFAULT 'planning' NOT NULL,
	"status" text DEFAULT 'running' NOT NULL,
	"failure" text,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "runs_stage" CHECK ("runs"."stage" in ('planning', 'snapshot', 'curation', 'experiments', 'verdict', 'done')),
	CONSTRAINT "runs_status" CHECK ("runs"."status" in ('running', 'completed', 'failed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "snapshots" (
	"id" text PRIMARY KEY NOT NULL,
	"run_id" text NOT NULL,
	"workload_id" text NOT NULL,
	"bound" text NOT NULL,
	"artifact" jsonb,
	"records" integer,
	"response_sources" jsonb,
	"synthetic" boolean,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"committed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "workloads" (
	"id" text PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "approval_gates" ADD CONSTRAINT "approval_gates_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "approval_gates" ADD CONSTRAINT "approval_gates_workload_id_workloads_id_fk" FOREIGN KEY ("workload_id") REFERENCES "public"."workloads"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_run_id_approval_gates_run_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."approval_gates"("run_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "route_moves" ADD CONSTRAINT "route_moves_workload_id_workloads_id_fk" FOREIGN KEY ("workload_id") REFERENCES "public"."workloads"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "route_moves" ADD CONSTRAINT "route_moves_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "routes" ADD CONSTRAINT "routes_workload_id_workloads_id_fk" FOREIGN KEY ("workload_id") REFERENCES "public"."workloads"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "routes" ADD CONSTRAINT "routes_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verdicts" ADD CONSTRAINT "verdicts_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verdicts" ADD CONSTRAINT "verdicts_winner_experiment_id_experiments_id_fk" FOREIGN KEY ("winner_experiment_id") REFERENCES "public"."experiments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "adapters" ADD CONSTRAINT "adapters_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "adapters" ADD CONSTRAINT "adapters_experiment_id_experiments_id_fk" FOREIGN KEY ("experiment_id") REFERENCES "public"."experiments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "adapters" ADD CONSTRAINT "adapters_dataset_id_datasets_id_fk" FOREIGN KEY ("dataset_id") REFERENCES "public"."datasets"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "evaluation_items" ADD CONSTRAINT "evaluation_items_evaluation_id_evaluations_id_fk" FOREIGN KEY ("evaluation_id") REFERENCES "public"."evaluations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "evaluations" ADD CONSTRAINT "evaluations_experiment_id_experiments_id_fk" FOREIGN KEY ("experiment_id") REFERENCES "public"."experiments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "evaluations" ADD CONSTRAINT "evaluations_dataset_id_datasets_id_fk" FOREIGN KEY ("dataset_id") REFERENCES "public"."datasets"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "experiments" ADD CONSTRAINT "experiments_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "experiments" ADD CONSTRAINT "experiments_candidate_id_candidates_id_fk" FOREIGN KEY ("candidate_id") REFERENCES "public"."candidates"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_experiment_id_experiments_id_fk" FOREIGN KEY ("experiment_id") REFERENCES "public"."experiments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_dataset_id_datasets_id_fk" FOREIGN KEY ("dataset_id") REFERENCES "public"."datasets"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dataset_records" ADD CONSTRAINT "dataset_records_dataset_id_datasets_id_fk" FOREIGN KEY ("dataset_id") REFERENCES "public"."datasets"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "datasets" ADD CONSTRAINT "datasets_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "datasets" ADD CONSTRAINT "datasets_workload_id_workloads_id_fk" FOREIGN KEY ("workload_id") REFERENCES "public"."workloads"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "datasets" ADD CONSTRAINT "datasets_snapshot_id_snapshots_id_fk" FOREIGN KEY ("snapshot_id") REFERENCES "public"."snapshots"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_workload_id_workloads_id_fk" FOREIGN KEY ("workload_id") REFERENCES "public"."workloads"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_workload_id_workloads_id_fk" FOREIGN KEY ("workload_id") REFERENCES "public"."workloads"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "approval_gates_workload" ON "approval_gates" USING btree ("workload_id","status");--> statement-breakpoint
CREATE UNIQUE INDEX "approvals_run" ON "approvals" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "audit_log_workload" ON "audit_log" USING btree ("workload_id","sequence" DESC NULLS LAST);--> statement-breakpoint
CREATE UNIQUE INDEX "route_moves_workload_version" ON "route_moves" USING btree ("workload_id","version");--> statement-breakpoint
CREATE INDEX "route_moves_run" ON "route_moves" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "verdicts_digest" ON "verdicts" USING btree ("digest");--> statement-breakpoint
CREATE INDEX "adapters_experiment" ON "adapters" USING btree ("experiment_id");--> statement-breakpoint
CREATE UNIQUE INDEX "candidates_name_settings" ON "candidates" USING btree ("name","settings");--> statement-breakpoint
CREATE INDEX "evaluation_items_record" ON "evaluation_items" USING btree ("record_id");--> statement-breakpoint
CREATE INDEX "evaluations_experiment" ON "evaluations" USING btree ("experiment_id");--> statement-breakpoint
CREATE INDEX "experiments_run" ON "experiments" USING btree ("run_id");--> statement-breakpoint
CREATE UNIQUE INDEX "jobs_provider_key" ON "jobs" USING btree ("provider","key");--> statement-breakpoint
CREATE INDEX "jobs_experiment" ON "jobs" USING btree ("experiment_id");--> statement-breakpoint
CREATE INDEX "dataset_records_record" ON "dataset_records" USING btree ("record_id");--> statement-breakpoint
CREATE INDEX "datasets_run" ON "datasets" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "datasets_hash" ON "datasets" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "runs_workload_started" ON "runs" USING btree ("workload_id","started_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "snapshots_run" ON "snapshots" USING btree ("run_id");