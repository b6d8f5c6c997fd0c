import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  currentUpdateInfo,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  uuid4,
} from '@temporalio/workflow';
import type { Decision, DecisionOutcome, GateStatus } from '../domain/verdicts/verdict.ts';
import { lineage } from './activity-options.ts';
import { gateDetails } from './current-details.ts';
import { reasonOf } from './failure-reason.ts';
import { refusalOf } from './gate-rules.ts';
import {
  approveSignal,
  type DecideInput,
  type DecideResult,
  decideUpdate,
  type GateInput,
  type GateResult,
  gateQuery,
  rejectSignal,
  type SignalledDecision,
  type StartedRollout,
  supersedeSignal,
} from './messages.ts';
import { stageAttribute, waitingAttribute } from './search-attributes.ts';
import { startRollout } from './start-rollout.ts';

/**
 * Waits for a named person's decision on one exact digest of evidence:
 *
 *     pending → approved (starts the rollout) | rejected | expired (which means no) | superseded
 */
export async function approvalGate(input: GateInput): Promise<GateResult> {
  const gate = new Gate(input);
  gate.receive();
  try {
    await gate.wait();
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // No answer is no: a cancelled gate closes like one that nobody answered.
    gate.settle('expired');
  }
  return CancellationScope.nonCancellable(() => gate.close());
}

class Gate {
  private status: GateStatus = 'pending';
  private decision: Decision | null = null;
  private supersededBy: string | null = null;
  /** Refused signals, waiting to be written to the audit log. */
  private readonly refused: { decision: Decision; refusal: string }[] = [];
  private recorded = false;
  private rollout: StartedRollout | null = null;
  private readonly input: GateInput;

  constructor(input: GateInput) {
    this.input = input;
    this.show();
  }

  receive(): void {
    setHandler(decideUpdate, (input) => this.decide(toDecision(input)), {
      validator: (input) => {
        const refusal = this.refusal(toDecision(input));
        if (refusal) throw ApplicationFailure.nonRetryable(refusal, 'ConflictError');
      },
      description: 'Decides on the digest: {outcome, actor, reason, digest, override?}.',
    });
    setHandler(approveSignal, (signal) => this.signalled('approve', signal), {
      description:
        'Approves: {digest, actor, reason, override?}. Anything that does not fit is audited and ignored.',
    });
    setHandler(rejectSignal, (signal) => this.signalled('reject', signal), {
      description: 'Rejects: {digest, actor, reason}.',
    });
    setHandler(supersedeSignal, ({ byRunId }) => {
      if (this.status !== 'pending') return;
      this.supersededBy = byRunId;
      this.settle('superseded');
    });
    setHandler(gateQuery, () => ({
      status: this.status,
      digest: this.input.digest,
      expiresAt: this.input.expiresAt,
    }));
  }

  /** Until somebody decides, a newer verdict is out, or the time is over; with reminders on the way. */
  async wait(): Promise<void> {
    const deadline = Date.parse(this.input.expiresAt);
    let nextReminder = Date.now() + this.input.remindEveryMs;
    while (this.status === 'pending') {
      const wake = Math.min(deadline, nextReminder);
      const news = () => this.status !== 'pending' || this.refused.length > 0;
      await condition(news, Math.max(1, wake - Date.now()), { summary: 'wait for a person' });
      await this.auditRefused();
      if (this.status !== 'pending') return;
      if (Date.now() >= deadline) return this.settle('expired');
      if (Date.now() >= nextReminder) {
        const { runId, workloadId, expiresAt } = this.input;
        await noted('reminder', () => lineage.remindGate({ runId, workloadId, expiresAt }));
        nextReminder = Date.now() + this.input.remindEveryMs;
      }
    }
  }

  settle(status: Exclude<GateStatus, 'pending'>, decision?: Decision): void {
    if (this.status !== 'pending') return;
    this.status = status;
    this.decision = decision ?? null;
    this.show();
  }

  async close(): Promise<GateResult> {
    await this.auditRefused();
    const { runId, workloadId } = this.input;
    if (this.decision) {
      await lineage.recordDecision({ runId, workloadId, decision: this.decision, status: this.status });
    } else {
      await lineage.closeGate({
        runId,
        workloadId,
        status: this.status,
        ...(this.supersededBy ? { byRunId: this.supersededBy } : {}),
      });
    }
    this.recorded = true;
    if (this.status === 'approved' && this.decision) await this.rollOut(this.decision);
    await condition(allHandlersFinished);
    // Whoever signalled meanwhile came too late, which is to be read in the audit log.
    await this.auditRefused();
    return {
      runId,
      status: this.status,
      ...(this.decision ? { decision: this.decision } : {}),
      ...(this.rollout ? { rollout: this.rollout } : {}),
    };
  }

  private async rollOut(decision: Decision): Promise<void> {
    this.rollout = await startRollout(this.input, decision);
    this.show();
  }

  /** The caller hears "approved" only once the lineage has it, and, unless another move is in the way, it has begun. */
  private async decide(decision: Decision): Promise<DecideResult> {
    this.settle(decision.outcome === 'approve' ? 'approved' : 'rejected', decision);
    await condition(() => this.recorded);
    if (this.status === 'approved')
      await condition(() => this.rollout !== null, '10 seconds', { summary: 'the rollout starts' });
    const { status, rollout } = this;
    return { status, runId: this.input.runId, ...(rollout ? { rollout } : {}) };
  }

  private signalled(outcome: DecisionOutcome, signal: SignalledDecision): void {
    const decision = fromSignal(outcome, signal);
    const refusal = this.refusal(decision);
    if (refusal) this.refused.push({ decision, refusal });
    else this.settle(outcome === 'approve' ? 'approved' : 'rejected', decision);
  }

  private refusal(decision: Decision): string | null {
    const { digest, verdict, approvers = [], expiresAt } = this.input;
    // It may have come while no worker was there to see the time run out.
    if (this.status === 'pending' && Date.now() >= Date.parse(expiresAt))
      return `This gate expired at ${expiresAt}.`;
    return refusalOf({ status: this.status, digest, verdict: verdict.outcome, approvers }, decision);
  }

  private async auditRefused(): Promise<void> {
    const { runId, workloadId } = this.input;
    for (let next = this.refused.shift(); next; next = this.refused.shift()) {
      const refused = next;
      await noted('refusal', () => lineage.auditRefusal({ runId, workloadId, ...refused }));
    }
  }

  private show(): void {
    upsertSearchAttributes([
      { key: stageAttribute, value: this.status },
      { key: waitingAttribute, value: this.status === 'pending' },
    ]);
    setCurrentDetails(gateDetails(this.input, this.status, this.decision, this.rollout));
  }
}

/** What only informs must not end a gate that people wait at. */
async function noted(what: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error(`The ${what} could not be written to the audit log`, { reason: reasonOf(error) });
  }
}

/** Whoever types a message by hand may leave anything out: the rules then say what is missing. */
function toDecision(input: DecideInput): Decision {
  return {
    // Not made up here: the validator calls this too, and what it does is not replayed.
    id: currentUpdateInfo()?.id ?? '',
    outcome: input?.outcome,
    actor: text(input?.actor),
    actorSource: 'local',
    reason: text(input?.reason),
    digest: text(input?.digest),
    override: input?.override === true,
  };
}

function fromSignal(outcome: DecisionOutcome, signal: SignalledDecision): Decision {
  return {
    id: uuid4(),
    outcome,
    actor: text(signal?.actor),
    actorSource: 'signal',
    // Digest and actor are enough for a plain signal; going against the verdict still needs a reason.
    reason: text(signal?.reason) || (signal?.override === true ? '' : 'by signal, no reason given'),
    digest: text(signal?.digest),
    override: signal?.override === true,
  };
}

function text(value: unknown): string {
  // PostgreSQL's text holds no NUL: a decision with one could never be stored.
  return typeof value === 'string' ? value.replaceAll('\0', '').trim() : '';
}
