CREATE TABLE "judgements" (
	"evaluation_id" text NOT NULL,
	"item_id" text NOT NULL,
	"judge_id" text NOT NULL,
	"judge" jsonb NOT NULL,
	"score" double precision,
	"failure" text,
	"reason" text NOT NULL,
	"judged_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "judgements_evaluation_id_item_id_judge_id_pk" PRIMARY KEY("evaluation_id","item_id","judge_id"),
	CONSTRAINT "judgements_failure" CHECK ("judgements"."failure" in ('refusal', 'unparsable', 'provider_error', 'timeout'))
);
--> statement-breakpoint
ALTER TABLE "evaluations" ADD COLUMN "judge" jsonb;--> statement-breakpoint
ALTER TABLE "judgements" ADD CONSTRAINT "judgements_item" FOREIGN KEY ("evaluation_id","item_id") REFERENCES "public"."evaluation_items"("evaluation_id","item_id") ON DELETE no action ON UPDATE no action;