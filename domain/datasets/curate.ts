import type { StoredFeedback } from '../feedback/feedback.ts';
import { canonicalJson, sha256, sha256OfLines } from '../hash.ts';
import type { JsonObject } from '../json.ts';
import { compareText } from '../order.ts';
import type { RedactionPolicy } from '../policies/policy.ts';
import { createRedactor, type Redactor } from '../policies/redact.ts';
import type { StoredRecord } from '../records/record.ts';
import { applyFeedback } from './apply-feedback.ts';
import { type DroppedCounts, type Example, type SplitName, splitNames } from './dataset.ts';
import { dedupe, groupBy } from './dedupe.ts';
import { groupNames } from './groups.ts';
import { keysOf } from './keys.ts';
import { type CurationOptions, planSizes, requireSplits } from './sizes.ts';
import { countLabels, split } from './split.ts';
import { toExample } from './to-example.ts';
import type { DroppedRecord, Usable } from './usable.ts';

const nothing: RedactionPolicy = { kinds: [], patterns: {} };

/** Raised whenever a rule changes, so that an old dataset is never mistaken for one made by new rules. */
const rulesVersion = 2;

/** Examples between two rests: milliseconds each, also where a list of many tools makes them long. */
const restEvery = 100;

/** Awaited now and then: whoever curates may do what cannot wait, such as heartbeats, or throw to end it. */
type Rest = () => Promise<void>;

export interface Curated {
  readonly splits: Readonly<Record<SplitName, readonly Example[]>>;
  readonly dropped: DroppedCounts;
  readonly droppedRecords: readonly DroppedRecord[];
  /** What the dataset is, in full: rules, seed, counts, record ids per split, each dropped record's reason. */
  readonly manifest: JsonObject;
  /** sha256 of the canonical manifest. */
  readonly hash: string;
}

/**
 * Makes a dataset: records → corrected by feedback → usable examples → one per request → groups → splits.
 * Pure and independent of the order of `records`: same records, feedback, options and rules, same bytes.
 * Throws `NotEnoughRecordsError` when the splits that were asked for cannot be formed.
 */
export async function curate(
  records: AsyncIterable<StoredRecord> | Iterable<StoredRecord>,
  options: CurationOptions,
  rest: Rest = async () => undefined,
): Promise<Curated> {
  const { usable, unusable, read } = await collect(records, options);
  const deduped = dedupe(usable);
  const droppedRecords = [...unusable, ...deduped.dropped].sort(byRecordId);
  const dropped = countReasons(droppedRecords);
  const sizes = planSizes(deduped.kept.length, { ...options, read, dropped });

  const groups = groupNames(usable);
  const examples = deduped.kept.map(({ example }) => ({
    ...example,
    group: groups.get(example.recordId) ?? example.recordId,
  }));
  const splits = split(examples, sizes, options.seed);
  requireSplits(splits, sizes);

  const manifest = {
    ...(await toManifest(splits, droppedRecords, dropped, { ...options, read, ...sizes }, rest)),
    ...describeCorrections(splits),
    ...describeRedaction(splits),
  };
  return { splits, dropped, droppedRecords, manifest, hash: sha256(canonicalJson(manifest)) };
}

async function collect(
  records: AsyncIterable<StoredRecord> | Iterable<StoredRecord>,
  { redaction = nothing, feedback }: CurationOptions,
): Promise<{ usable: Usable[]; unusable: DroppedRecord[]; read: number }> {
  const redact = createRedactor(redaction);
  const usable: Usable[] = [];
  const unusable: DroppedRecord[] = [];
  for await (const record of records) {
    const taken = take(record, feedback?.get(record.id) ?? [], redact);
    if ('reason' in taken) unusable.push(taken);
    else usable.push(taken);
  }
  return { usable, unusable, read: usable.length + unusable.length };
}

function take(
  record: StoredRecord,
  feedback: readonly StoredFeedback[],
  redact: Redactor | null,
): Usable | DroppedRecord {
  const heard = applyFeedback(record, feedback);
  if (heard.record === null) return { recordId: record.id, reason: heard.reason, feedbackId: heard.by };
  const { id, timestamp, responseSource } = heard.record;
  const made = toExample(heard.record);
  if (!made.ok)
    return heard.by === null
      ? { recordId: id, reason: made.reason }
      : { recordId: id, reason: 'unusable_correction', feedbackId: heard.by };
  const corrected = heard.by === null ? made.example : { ...made.example, correctedBy: heard.by };
  // First of all: nothing that comes after shall see it.
  const example = redact?.(corrected) ?? corrected;
  return { example, record: { id, timestamp, responseSource }, ...keysOf(example) };
}

async function toManifest(
  splits: Readonly<Record<SplitName, readonly Example[]>>,
  droppedRecords: readonly DroppedRecord[],
  dropped: DroppedCounts,
  facts: { seed: number; read: number; validation: number; eval: number },
  rest: Rest,
): Promise<JsonObject> {
  const described: JsonObject = {};
  for (const name of splitNames) described[name] = await describe(splits[name], rest);
  return {
    rulesVersion,
    seed: facts.seed,
    read: facts.read,
    asked: { eval: facts.eval, validation: facts.validation },
    splits: described,
    dropped: { ...dropped },
    droppedRecords: droppedRecords.map((each) => ({ ...each })),
  };
}

async function describe(examples: readonly Example[], rest: Rest): Promise<JsonObject> {
  return {
    records: examples.length,
    labels: Object.fromEntries(
      [...countLabels(examples)].sort(([left], [right]) => compareText(left, right)),
    ),
    // The content, not only the ids: a record changed in the store must change the hash.
    sha256: await sha256OfLines(canonicalLines(examples, rest)),
    groups: groupBy(examples, (each) => each.group).size,
    recordIds: examples.map((example) => example.recordId),
  };
}

async function* canonicalLines(examples: readonly Example[], rest: Rest): AsyncGenerator<string> {
  for (const [index, example] of examples.entries()) {
    if (index % restEvery === 0) await rest();
    yield canonicalJson(example);
  }
}

/** Whose target a person gave. Nothing at all where nobody did, as with redaction. */
function describeCorrections(splits: Readonly<Record<SplitName, readonly Example[]>>): JsonObject {
  const corrected = splitNames.flatMap((name) =>
    splits[name].flatMap(({ recordId, correctedBy }) =>
      correctedBy === undefined ? [] : [{ recordId, feedbackId: correctedBy }],
    ),
  );
  return corrected.length === 0 ? {} : { corrected: corrected.length, correctedRecords: corrected };
}

/** Nothing at all where nothing was found, so that a dataset without it is the one that it always was. */
function describeRedaction(splits: Readonly<Record<SplitName, readonly Example[]>>): JsonObject {
  const redacted = splitNames.flatMap((name) =>
    splits[name].flatMap(({ recordId, redacted: found }) => (found ? [{ recordId, found }] : [])),
  );
  if (redacted.length === 0) return {};
  const found: Record<string, number> = {};
  for (const each of redacted)
    for (const [name, count] of Object.entries(each.found)) found[name] = (found[name] ?? 0) + count;
  return {
    redacted: { records: redacted.length, found },
    redactedRecords: redacted.map(({ recordId, found: counts }) => ({ recordId, found: { ...counts } })),
  };
}

function countReasons(dropped: readonly DroppedRecord[]): Record<string, number> {
  const counts = [...groupBy(dropped, (each) => each.reason)].map(([reason, list]): [string, number] => [
    reason,
    list.length,
  ]);
  return Object.fromEntries(counts.sort(([left], [right]) => compareText(left, right)));
}

function byRecordId(left: DroppedRecord, right: DroppedRecord): number {
  return compareText(left.recordId, right.recordId);
}
