/** What happened to calls since the gateway started; shown by `GET /ready`. */
export interface CallCounts {
  calls: number;
  /** Answered with a 2xx by a model. */
  answered: number;
  /** The caller hung up before the end. What had come of a stream is recorded, marked as cut off. */
  cancelled: number;
  /** Refused here, or failed upstream: no record, since there is no answer. */
  failed: number;
  /** Refused by the workload's guardrails before anybody was asked: no record. */
  blockedQuestions: number;
  /** Answered by a model, and kept from the caller by the workload's guardrails; recorded without what was said. */
  blockedAnswers: number;
  /** Answered but not logged: no `x-workload-id`, or `x-flywheel-log: off`. */
  unlogged: number;
  /** Answered, but request or reply could not be read as a record. */
  unusable: number;
}

/** What happened to records sent to `POST /v1/records` since the gateway started; shown by `GET /ready`. */
export interface RecordCounts {
  accepted: number;
  duplicate: number;
  rejected: number;
}

export function newCounts(): CallCounts {
  return {
    ...{ calls: 0, answered: 0, cancelled: 0, failed: 0 },
    ...{ blockedQuestions: 0, blockedAnswers: 0 },
    ...{ unlogged: 0, unusable: 0 },
  };
}

export function newRecordCounts(): RecordCounts {
  return { accepted: 0, duplicate: 0, rejected: 0 };
}
