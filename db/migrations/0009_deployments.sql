CREATE TABLE "deployment_holds" (
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"holder" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"kept_until" timestamp with time zone,
	CONSTRAINT "deployment_holds_provider_model_holder_pk" PRIMARY KEY("provider","model","holder")
);
--> statement-breakpoint
CREATE TABLE "deployments" (
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"base_model" text,
	"deployment_id" text,
	"ours" boolean DEFAULT false NOT NULL,
	"removing_since" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "deployments_provider_model_pk" PRIMARY KEY("provider","model")
);
--> statement-breakpoint
ALTER TABLE "deployment_holds" ADD CONSTRAINT "deployment_holds_provider_model_deployments_provider_model_fk" FOREIGN KEY ("provider","model") REFERENCES "public"."deployments"("provider","model") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "deployment_holds_holder" ON "deployment_holds" USING btree ("holder");