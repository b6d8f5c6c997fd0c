import { randomUUID } from 'node:crypto';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { PolicyEntry } from '../../config/policies-schema.ts';
import { canonicalJson } from '../../domain/hash.ts';
import { isPlainId, plainIdRule } from '../../domain/ids.ts';
import type { WorkloadPolicy } from '../../domain/policies/policy.ts';
import { policyVersion } from '../../domain/policies/policy-version.ts';
import type { PolicyEditor } from '../../wiring/open-policies.ts';
import type { Access, Caller } from '../auth/access.ts';
import type { AddEndpoint } from '../auth/guard.ts';
import { isError, RequestError } from '../openai-error.ts';
import { type BodyOptions, readBody } from './read-body.ts';

export interface PolicyOptions extends BodyOptions {
  readonly policies: PolicyEditor;
  readonly access: Pick<Access, 'authorize'>;
  readonly lineage: {
    readonly policies: Pick<Lineage['policies'], 'record'>;
    readonly audit: Pick<Lineage['audit'], 'append'>;
  };
}

const path = '/v1/workloads/:workload/policy';

/**
 * `GET` and `PUT /v1/workloads/<workload>/policy`: the workload's entry of `workloads.yaml`, which stays the one
 * place where policies stand. `PUT` takes the entry in the file's words and puts it there whole; what it leaves
 * out comes from the default. The next run goes by it.
 */
export function addPolicy(on: AddEndpoint, options: PolicyOptions): void {
  const { policies } = options;
  on('GET', path, 'read', async (context) => {
    const workload = workloadOf(context.req.param('workload'));
    return told(workload, await policies.read(workload));
  });
  const takeTurns = turns();
  on('PUT', path, 'operate', async (context, caller) => {
    const workload = workloadOf(context.req.param('workload'));
    const entry = await readBody(context.req.raw, PolicyEntry, options);
    const { headers } = context.req.raw;
    await takeTurns(() => put({ workload, entry, caller, headers }, options));
    return told(workload, await policies.read(workload));
  });
}

interface Change {
  readonly workload: string;
  readonly entry: PolicyEntry;
  readonly caller: Caller;
  readonly headers: Headers;
}

async function put({ workload, entry, caller, headers }: Change, options: PolicyOptions): Promise<void> {
  const { policies, lineage } = options;
  const before = await policies.read(workload);
  requireVersion(headers.get('if-match'), policyVersion(before.policy));
  const { policy, problems } = await policies.check(entry);
  if (problems.length > 0) throw invalid(`The policy cannot be used: ${problems.join('; ')}.`);
  requireSayInApprovers(before.policy, policy, headers, options);
  requireSayInGuardrails(before.policy, policy, headers, options);
  if (before.entry && canonicalJson(before.entry) === canonicalJson(entry)) return;
  const [from, to] = [policyVersion(before.policy), policyVersion(policy)];
  const audit = (action: string) =>
    lineage.audit.append({
      ...{ id: `policy:${randomUUID()}`, workloadId: workload, runId: null },
      ...{ actor: caller.client ?? 'api', actorSource: caller.source },
      ...{ action, detail: { from, to } },
    });
  // The version and the entry come first: a change that nobody can trace must not be.
  await lineage.policies.record(to, policy);
  await audit('policy_change');
  try {
    await policies.write(workload, entry);
  } catch (error) {
    await audit('policy_change_failed');
    throw error;
  }
}

/** Guardrails hold up what is promoted and what is said: who may not promote may bring them in, and not change them. */
function requireSayInGuardrails(
  { guardrails: before }: WorkloadPolicy,
  { guardrails: after }: WorkloadPolicy,
  headers: Headers,
  { access }: Pick<PolicyOptions, 'access'>,
): void {
  if (before === null || canonicalJson(before) === canonicalJson(after)) return;
  requireApprover('This changes the guardrails.', headers, access);
}

/**
 * Whoever could choose the approvers could choose themselves: that takes the role of one, and where the workload
 * has a list, to be on it. A role is for every workload, the list for this one.
 */
function requireSayInApprovers(
  before: WorkloadPolicy,
  after: WorkloadPolicy,
  headers: Headers,
  { access }: Pick<PolicyOptions, 'access'>,
): void {
  if (JSON.stringify(before.approvers) === JSON.stringify(after.approvers)) return;
  const what = `This changes who may approve (${list(before)} → ${list(after)}).`;
  const caller = requireApprover(what, headers, access);
  if (before.approvers.length === 0 || before.approvers.includes(caller.client ?? '')) return;
  const who = caller.client === null ? 'you have not proved to be anybody' : `you are ${caller.client}`;
  throw new RequestError({
    status: 403,
    code: 'not_an_approver',
    message: `${what} Only who is on the list may, by a token of their own, and ${who}. Ask one of them, or change workloads.yaml itself.`,
  });
}

/** Who has the role of one. Throws with what it is needed for. */
function requireApprover(what: string, headers: Headers, access: PolicyOptions['access']) {
  const caller = access.authorize(headers, 'approve');
  if (isError(caller)) throw new RequestError({ ...caller, message: `${what} ${caller.message}` });
  return caller;
}

function list({ approvers }: WorkloadPolicy): string {
  return approvers.join(', ') || 'anyone';
}

/** The change was made of another version than the one that is there. */
function requireVersion(ifMatch: string | null, version: string): void {
  if (ifMatch === null || ifMatch === '*' || ifMatch.includes(`"${version}"`)) return;
  throw new RequestError({
    status: 412,
    code: 'policy_has_changed',
    message: `The policy is version ${version} by now: read it again, and make the change of that.`,
  });
}

function workloadOf(text: string | undefined): string {
  if (text !== undefined && isPlainId(text)) return text;
  throw invalid(`A workload id must be ${plainIdRule}.`);
}

function invalid(message: string): RequestError {
  return new RequestError({ status: 400, code: 'invalid_body', message });
}

/** As `flywheel policy show --json`, with the entry beside it. */
function told(
  workload: string,
  { entry, policy }: { entry: PolicyEntry | null; policy: WorkloadPolicy },
): Response {
  const version = policyVersion(policy);
  return Response.json({ workload, version, entry, ...policy }, { headers: { etag: `"${version}"` } });
}

/** One change at a time: each reads the file, and replaces it. */
function turns(): <T>(turn: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (turn) => {
    const next = last.then(turn, turn);
    last = next.catch(() => undefined);
    return next;
  };
}
