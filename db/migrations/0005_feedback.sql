CREATE TABLE "feedback" (
	"id" text PRIMARY KEY NOT NULL,
	"hash" text NOT NULL,
	"sequence" bigint GENERATED ALWAYS AS IDENTITY (sequence name "feedback_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"record_id" text,
	"conversation_id" text,
	"workload_id" text,
	"client_id" text,
	"kind" text NOT NULL,
	"name" text,
	"value" json,
	"comment" text,
	"author" text,
	"given_at" timestamp with time zone,
	"stored_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "feedback_kind" CHECK ("feedback"."kind" in ('thumbs', 'score', 'correction', 'demonstration', 'outcome', 'signal', 'comment')),
	CONSTRAINT "feedback_about" CHECK ("feedback"."record_id" is not null or "feedback"."conversation_id" is not null)
);
--> statement-breakpoint
CREATE INDEX "feedback_record" ON "feedback" USING btree ("record_id");--> statement-breakpoint
CREATE INDEX "feedback_conversation" ON "feedback" USING btree ("conversation_id");--> statement-breakpoint
CREATE INDEX "feedback_workload" ON "feedback" USING btree ("workload_id","sequence" DESC NULLS LAST);