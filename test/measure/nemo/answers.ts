import { asc, eq } from 'drizzle-orm';
import { z } from 'zod';
import type { Config } from '../../../config/config.ts';
import { connect } from '../../../db/connect.ts';
import { evaluationItems, evaluations, experiments } from '../../../db/schema/experiments.ts';
import type { Strategy } from '../../../domain/experiments/experiment.ts';
import { canonicalJson } from '../../../domain/hash.ts';
import type { Json } from '../../../domain/json.ts';

/** What an experiment answered, by record, in a form that is equal where the answers are. */
export type Answers = ReadonlyMap<string, string>;

/** Of a run's evaluations, by strategy: read from the lineage's per-item table. */
export async function answersOf(
  { database }: Config,
  runId: string,
): Promise<ReadonlyMap<Strategy, Answers>> {
  const { db, close } = connect(database.url);
  try {
    const rows = await db
      .select({
        strategy: experiments.strategy,
        recordId: evaluationItems.recordId,
        response: evaluationItems.response,
      })
      .from(evaluationItems)
      .innerJoin(evaluations, eq(evaluations.id, evaluationItems.evaluationId))
      .innerJoin(experiments, eq(experiments.id, evaluations.experimentId))
      .where(eq(experiments.runId, runId))
      .orderBy(asc(evaluationItems.recordId));
    const found = new Map<Strategy, Map<string, string>>();
    for (const { strategy, recordId, response } of rows) {
      const answers = found.get(strategy) ?? new Map<string, string>();
      found.set(strategy, answers.set(recordId, comparable(response)));
    }
    return found;
  } finally {
    await close();
  }
}

const Response = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          tool_calls: z
            .array(z.object({ function: z.object({ name: z.string(), arguments: z.string() }) }))
            .nullish(),
        }),
      }),
    )
    .min(1),
});

/** Words and calls. Ids and times differ from answer to answer; an absent content and an empty one do not differ. */
function comparable(response: Json): string {
  const parsed = Response.safeParse(response);
  if (!parsed.success) return canonicalJson({ unread: response });
  const message = parsed.data.choices[0]?.message;
  const calls = (message?.tool_calls ?? []).map((call) => call.function);
  return canonicalJson({ content: message?.content ?? '', calls });
}

/** How many of the records that both answered got the same answer. */
export function agreement(one: Answers, other: Answers): { same: number; of: number } {
  const shared = [...one].filter(([recordId]) => other.has(recordId));
  return {
    same: shared.filter(([recordId, answer]) => other.get(recordId) === answer).length,
    of: shared.length,
  };
}
