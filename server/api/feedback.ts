import type { FeedbackFilter, FeedbackLineage, FeedbackResult } from '../../activities/ports/feedback.ts';
import { type Feedback, type FeedbackKind, feedbackKinds } from '../../domain/feedback/feedback.ts';
import { parseFeedback } from '../../domain/feedback/parse.ts';
import type { Caller } from '../auth/access.ts';
import type { AddEndpoint } from '../auth/guard.ts';
import { RequestError } from '../openai-error.ts';
import type { BodyOptions } from './read-body.ts';
import { readItems } from './read-items.ts';
import { limitOf } from './read-limit.ts';
import { allRejected, foreignClient, isRejected, type RejectedItem, senderOf } from './sender.ts';

export interface FeedbackOptions extends BodyOptions {
  readonly lineage: { readonly feedback: Pick<FeedbackLineage, 'add' | 'list'> };
}

/** What became of one piece, at the place where it was sent. */
export type FeedbackItemResult = { readonly status: FeedbackResult; readonly id: string } | RejectedItem;

const maxPieces = 1_000;

/**
 * `POST /v1/feedback`: one piece, or `{feedback: […]}`. Answered once it is stored.
 * `GET /v1/feedback?record=…|conversation=…|workload=…`: what was given, newest first.
 */
export function addFeedback(on: AddEndpoint, { lineage, maxBodyBytes }: FeedbackOptions): void {
  on('POST', '/v1/feedback', 'ingest', async (context, caller) => {
    const items = await readItems(context.req.raw, 'feedback', maxPieces, { maxBodyBytes });
    const parsed = items.map((item) => parseOne(item, context.req.raw.headers, caller));
    const pieces = parsed.flatMap((each) => ('feedback' in each ? [each.feedback] : []));
    const stored = (await lineage.feedback.add(pieces)).values();
    const results = parsed.map((each) =>
      'feedback' in each ? { status: stored.next().value ?? 'stored', id: each.feedback.id } : each,
    );
    const counts = countOf(results);
    return results.every(isRejected) ? allRejected(results, counts) : context.json({ ...counts, results });
  });

  on('GET', '/v1/feedback', 'read', async (context) =>
    context.json(await lineage.feedback.list(filterOf((name) => context.req.query(name)))),
  );
}

type Parsed = { readonly feedback: Feedback } | RejectedItem;

function parseOne(item: unknown, headers: Headers, caller: Caller): Parsed {
  const parsed = parseFeedback(item, senderOf(headers, caller));
  if (!parsed.ok) return { status: 'rejected', reason: parsed.reason, detail: parsed.detail };
  return foreignClient(parsed.feedback.clientId, caller) ?? { feedback: parsed.feedback };
}

function countOf(results: readonly FeedbackItemResult[]): Record<string, number> {
  const n = (status: FeedbackItemResult['status']) =>
    results.filter((result) => result.status === status).length;
  return {
    stored: n('stored'),
    duplicate: n('duplicate'),
    conflict: n('conflict'),
    rejected: n('rejected'),
  };
}

function filterOf(query: (name: string) => string | undefined): FeedbackFilter {
  const [record, conversation, workloadId, kind] = [
    query('record'),
    query('conversation'),
    query('workload'),
    query('kind'),
  ];
  if (kind !== undefined && !isKind(kind))
    throw new RequestError({
      status: 400,
      code: 'invalid_kind',
      message: `kind must be one of ${feedbackKinds.join(', ')}.`,
      param: 'kind',
    });
  return {
    ...(record !== undefined && { recordIds: [record] }),
    ...(conversation !== undefined && { conversationIds: [conversation] }),
    ...(workloadId !== undefined && { workloadId }),
    ...(kind !== undefined && { kind }),
    limit: limitOf(query('limit'), 100),
  };
}

function isKind(text: string): text is FeedbackKind {
  return (feedbackKinds as readonly string[]).includes(text);
}
