import { InvalidInputError, NotEnoughRecordsError } from '../errors.ts';
import { defaultCuration } from '../experiments/defaults.ts';
import type { RedactionPolicy } from '../policies/policy.ts';
import type { FeedbackByRecord } from './apply-feedback.ts';
import type { DroppedCounts, Example, SplitName } from './dataset.ts';
import type { SplitSizes } from './split.ts';

export interface CurationOptions {
  readonly seed: number;
  /** Default: a third of the usable records, 200 at most. */
  readonly evalSize?: number;
  /** Share of what eval leaves, in [0, 1). */
  readonly validationShare: number;
  /** Fewest usable records to make a dataset of. */
  readonly minRecords: number;
  /** Default: nothing is blanked out. */
  readonly redaction?: RedactionPolicy;
  /** Default: nothing was said about any record. */
  readonly feedback?: FeedbackByRecord;
}

/** Decides the sizes of the splits, or says in numbers why `usable` records are too few for them. */
export function planSizes(
  usable: number,
  options: CurationOptions & { readonly read: number; readonly dropped: DroppedCounts },
): SplitSizes {
  const { evalSize, validationShare, minRecords } = options;
  if (evalSize !== undefined && (!Number.isInteger(evalSize) || evalSize < 1)) {
    throw new InvalidInputError(`The eval size is ${evalSize}; a whole number of at least 1 is needed.`);
  }
  if (!(validationShare >= 0 && validationShare < 1)) {
    throw new InvalidInputError(
      `The validation share is ${validationShare}; at least 0 and below 1 is needed.`,
    );
  }
  if (usable < minRecords) {
    throw new NotEnoughRecordsError(
      `Found ${usable} usable records of ${options.read}${listDropped(options.dropped)}; ` +
        `at least ${minRecords} are needed. Log or import more calls of this workload.`,
    );
  }
  const largest = Math.min(defaultCuration.maxEvalSize, Math.floor(usable * defaultCuration.maxEvalShare));
  const sizeOfEval = evalSize ?? largest;
  const rest = Math.max(0, usable - sizeOfEval);
  const validation = validationShare === 0 ? 0 : Math.max(1, Math.round(rest * validationShare));
  const fewestTrained = Math.ceil(minRecords / 2);
  if (rest - validation < fewestTrained) {
    throw new NotEnoughRecordsError(
      `Of ${usable} usable records an eval split of ${sizeOfEval} and a validation split of ${validation} leave ` +
        `${Math.max(0, rest - validation)} to train on; at least ${fewestTrained} are needed. ` +
        `Ask for a smaller eval split (${largest} without --eval-size), or log or import more calls.`,
    );
  }
  return { eval: sizeOfEval, validation };
}

/** Large groups cannot be cut. Too small a held-out split is an error, not a surprise in the numbers. */
export function requireSplits(
  splits: Readonly<Record<SplitName, readonly Example[]>>,
  sizes: SplitSizes,
): void {
  const short = (['eval', 'validation'] as const).find((name) => splits[name].length < sizes[name] / 2);
  if (short === undefined) return;
  const all = Object.values(splits).flat();
  const groups = new Set(all.map((example) => example.group)).size;
  throw new NotEnoughRecordsError(
    `The ${all.length} usable records form only ${groups} groups (turns of one conversation, or requests that ` +
      `open alike, stay together): ${splits[short].length} could be put into the ${short} split, ${sizes[short]} are ` +
      'needed. Log or import calls of more conversations, or ask for a smaller eval split.',
  );
}

function listDropped(dropped: DroppedCounts): string {
  const reasons = Object.entries(dropped).map(([reason, count]) => `${count} ${reason}`);
  return reasons.length === 0 ? '' : ` (dropped: ${reasons.join(', ')})`;
}
