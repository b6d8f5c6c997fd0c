CREATE TABLE "safety_checks" (
	"id" text PRIMARY KEY NOT NULL,
	"experiment_id" text NOT NULL,
	"serving" jsonb NOT NULL,
	"rules" json NOT NULL,
	"provider" text,
	"safety_set" text NOT NULL,
	"total" integer NOT NULL,
	"summary" json,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"closed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "safety_items" (
	"check_id" text NOT NULL,
	"item_id" text NOT NULL,
	"category" text NOT NULL,
	"response" json,
	"outcome" text NOT NULL,
	"rule" text,
	"question_rule" text,
	"detail" text,
	"stored_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "safety_items_check_id_item_id_pk" PRIMARY KEY("check_id","item_id"),
	CONSTRAINT "safety_items_outcome" CHECK ("safety_items"."outcome" in ('passed', 'blocked', 'unanswered'))
);
--> statement-breakpoint
ALTER TABLE "experiments" DROP CONSTRAINT "experiments_stage";--> statement-breakpoint
ALTER TABLE "experiments" ADD COLUMN "safety" json;--> statement-breakpoint
ALTER TABLE "safety_checks" ADD CONSTRAINT "safety_checks_experiment_id_experiments_id_fk" FOREIGN KEY ("experiment_id") REFERENCES "public"."experiments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "safety_items" ADD CONSTRAINT "safety_items_check_id_safety_checks_id_fk" FOREIGN KEY ("check_id") REFERENCES "public"."safety_checks"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "safety_checks_experiment" ON "safety_checks" USING btree ("experiment_id");--> statement-breakpoint
ALTER TABLE "experiments" ADD CONSTRAINT "experiments_stage" CHECK ("experiments"."stage" in ('waiting', 'preparing', 'training', 'evaluating', 'checking', 'done'));