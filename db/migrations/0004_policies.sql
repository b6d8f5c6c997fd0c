CREATE TABLE "policies" (
	"version" text PRIMARY KEY NOT NULL,
	"content" json NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "policy_version" text;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_policy_version_policies_version_fk" FOREIGN KEY ("policy_version") REFERENCES "public"."policies"("version") ON DELETE no action ON UPDATE no action;