import { randomUUID } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Role } from '../../domain/access/role.ts';
import { newToken } from '../../domain/access/token.ts';
import { tokensFileText } from '../../domain/access/tokens-file.schema.ts';
import { setup } from './support/gateway.ts';

const file = `# ours
default:
  threshold: 0.7 # as agreed
workloads:
  # people ask about holidays
  hr:
    approvers: [ana]
    kpi: solved without a human # since May
  it: { threshold: 0.5 }
`;

describe('/v1/workloads/<workload>/policy', () => {
  async function arrange(text: string | null = file, policiesName?: string) {
    const gateway = await setup(policiesName === undefined ? {} : { policiesName });
    const { path } = gateway.config.policiesFile;
    if (text !== null) await writeFile(path, text, { mode: 0o640 });
    const token = (client: string, ...roles: Role[]) =>
      newToken(
        { id: `id-${client}`, secret: randomUUID() },
        { client, roles, createdAt: '2026-01-31T09:00:00Z', expiresAt: null, requestsPerMinute: null },
      );
    const tokens = {
      ci: token('ci', 'operate', 'read'),
      web: token('web', 'ingest', 'read'),
      ana: token('ana', 'operate', 'approve'),
      eve: token('eve', 'operate', 'approve'),
    };
    await writeFile(
      gateway.config.gateway.tokensFile,
      tokensFileText(Object.values(tokens).map((each) => each.token)),
    );
    const { url } = await gateway.start();
    const call = async (
      method: 'GET' | 'PUT',
      options: { as?: keyof typeof tokens; body?: unknown; workload?: string; match?: string } = {},
    ) => {
      const { as = 'ci', body, workload = 'hr', match } = options;
      const reply = await fetch(`${url}/v1/workloads/${encodeURIComponent(workload)}/policy`, {
        method,
        headers: {
          authorization: `Bearer ${tokens[as].text}`,
          'content-type': 'application/json',
          ...(match !== undefined && { 'if-match': match }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const answer = (await reply.json()) as Record<string, unknown> & {
        error?: { message: string; code: string };
      };
      return { status: reply.status, etag: reply.headers.get('etag'), body: answer };
    };
    return { ...gateway, path, call, text: () => readFile(path, 'utf8') };
  }

  it('GET tells the entry as the file has it, and the policy that it makes', async () => {
    const { call } = await arrange();

    const { status, etag, body } = await call('GET', { as: 'web' });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      workload: 'hr',
      entry: { approvers: ['ana'], kpi: 'solved without a human' },
      threshold: 0.7,
      approvers: ['ana'],
    });
    expect(etag).toBe(`"${String(body['version'])}"`);
  });

  it('PUT changes the one entry and leaves the rest of the file as it is, comments with it', async () => {
    const { call, text, path, lineage } = await arrange();

    const put = await call('PUT', {
      body: { approvers: ['ana'], kpi: 'solved without a human', threshold: 0.9 },
    });

    expect(put.status).toBe(200);
    expect(put.body).toMatchObject({ workload: 'hr', threshold: 0.9, approvers: ['ana'] });
    expect(await text()).toBe(
      file
        .replace('# since May\n', '# since May\n    threshold: 0.9\n')
        .replace('ana]', 'ana ]')
        .replace('[ana', '[ ana'),
    );
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await lineage.policies.get(String(put.body['version']))).toMatchObject({ threshold: 0.9 });
    expect(await lineage.audit.list('hr')).toMatchObject([
      { actor: 'ci', actorSource: 'token', action: 'policy_change', detail: { to: put.body['version'] } },
    ]);
  });

  it('PUT of the same entry again changes nothing and is not audited twice', async () => {
    const { call, lineage } = await arrange();
    const body = { approvers: ['ana'], threshold: 0.8 };

    const [first, second] = [await call('PUT', { body }), await call('PUT', { body })];

    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body).toEqual(first.body);
    expect(await lineage.audit.list('hr')).toHaveLength(1);
  });

  it('makes the file and the entry where there are none; an empty entry is the default again', async () => {
    const { call, text } = await arrange(null);

    const made = await call('PUT', {
      workload: 'new',
      body: { threshold: 0.6, schedule: { daily: '02:00' } },
    });
    const emptied = await call('PUT', { workload: 'new', body: {} });

    expect(made.body).toMatchObject({ threshold: 0.6, schedule: { daily: '02:00' } });
    expect(emptied.body).toMatchObject({ entry: {}, threshold: 0.75, schedule: { daily: null } });
    expect(await text()).toBe('workloads:\n  new: {}\n');
  });

  it('takes changes that come at once in turns, and loses none', async () => {
    const { call, text } = await arrange();
    const names = Array.from({ length: 10 }, (_, index) => `w${index}`);

    const answers = await Promise.all(
      names.map((workload) => call('PUT', { workload, body: { threshold: 0.6 } })),
    );

    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    for (const name of names) expect(await text()).toMatch(new RegExp(`^ {2}${name}:`, 'm'));
  });

  it.each([
    ['a threshold beyond one', { threshold: 2 }, /threshold: .*<=1/],
    ['a key that there is not', { tresholds: 0.5 }, /tresholds/],
    ['a time that is none', { schedule: { daily: '2am' } }, /schedule\.daily: must be a time such as 02:00/],
    ['a candidate that there is not', { candidates: ['nono'] }, /candidates\.0: .*"nono".*nano/],
    ['something else than a policy', [], /body/],
  ])('refuses %s, and leaves the file alone', async (_, body, message) => {
    const { call, text } = await arrange();

    const refused = await call('PUT', { body });

    expect(refused.status).toBe(400);
    expect(refused.body.error?.message).toMatch(message);
    expect(await text()).toBe(file);
  });

  it('needs operate to change, and approve as well to say who approves', async () => {
    const { call, text } = await arrange();

    const reader = await call('PUT', { as: 'web', body: { approvers: ['ana'] } });
    const operator = await call('PUT', { body: { approvers: ['ci'] } });
    const byLeavingOut = await call('PUT', { body: {} });
    const before = await text();
    const approver = await call('PUT', { as: 'ana', body: { approvers: ['ana', 'bo'] } });

    expect([reader.status, operator.status, byLeavingOut.status]).toEqual([403, 403, 403]);
    expect(operator.body.error?.message).toMatch(/who may approve \(ana → ci\)/);
    expect(before).toBe(file);
    expect(approver.body).toMatchObject({ approvers: ['ana', 'bo'] });
  });

  it('needs approve as well to change guardrails that are there', async () => {
    const { call } = await arrange();
    const approvers = ['ana'];
    const guardedBy = (guardrails: object) => ({ approvers, guardrails });

    const begun = await call('PUT', { body: guardedBy({ answers: { card: '4111' }, enforce: true }) });
    const refused = [
      await call('PUT', { body: guardedBy({ answers: { card: '4111' }, enforce: false }) }),
      await call('PUT', { body: { approvers, guardrails: null } }),
    ];
    const left = await call('PUT', { as: 'ana', body: { approvers, guardrails: null } });

    expect([begun.status, ...refused.map(({ status }) => status), left.status]).toEqual([200, 403, 403, 200]);
    expect(refused[0]?.body.error?.message).toContain('This changes the guardrails.');
  });

  it('lets nobody change a list of approvers but those who are on it', async () => {
    const { call, text, lineage } = await arrange();

    const replaced = await call('PUT', { as: 'eve', body: { approvers: ['eve'] } });
    const joined = await call('PUT', { as: 'eve', body: { approvers: ['ana', 'eve'] } });
    const leftOut = await call('PUT', { as: 'eve', body: {} });
    const untouched = await text();
    const elsewhere = await call('PUT', { as: 'eve', workload: 'it', body: { approvers: ['eve'] } });
    const rest = await call('PUT', { as: 'eve', body: { approvers: ['ana'], threshold: 0.9 } });

    for (const { status, body } of [replaced, joined, leftOut])
      expect([status, body.error?.code]).toEqual([403, 'not_an_approver']);
    expect(replaced.body.error?.message).toMatch(/ana → eve.*you are eve/);
    expect(untouched).toBe(file);
    expect(elsewhere.body).toMatchObject({ approvers: ['eve'] });
    expect(rest.body).toMatchObject({ threshold: 0.9, approvers: ['ana'] });
    expect(await lineage.audit.list('hr')).toHaveLength(1);
  });

  it('takes a list that the default brings for a list', async () => {
    const { call } = await arrange('default: { approvers: [ana] }\n');

    const { status, body } = await call('PUT', { as: 'eve', body: { approvers: ['eve'] } });

    expect([status, body.error?.code]).toEqual([403, 'not_an_approver']);
  });

  it('without tokens lets nobody change a list: nobody has proved to be on it', async () => {
    const { start, config } = await setup();
    await writeFile(config.policiesFile.path, file);
    const { url } = await start();
    const put = (workload: string) =>
      fetch(`${url}/v1/workloads/${workload}/policy`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ approvers: ['me'] }),
      });

    const [listed, open] = [await put('hr'), await put('it')];

    expect([listed.status, open.status]).toEqual([403, 200]);
    expect(await listed.json()).toMatchObject({ error: { code: 'not_an_approver' } });
  });

  it('refuses a change that was made of another version', async () => {
    const { call } = await arrange();
    const { etag } = await call('GET');
    await call('PUT', { body: { approvers: ['ana'], threshold: 0.9 } });

    const late = await call('PUT', { body: { approvers: ['ana'] }, match: etag ?? '' });
    const { etag: now } = await call('GET');
    const fresh = await call('PUT', { body: { approvers: ['ana'] }, match: now ?? '' });

    expect([late.status, late.body.error?.code]).toEqual([412, 'policy_has_changed']);
    expect(fresh.status).toBe(200);
  });

  it('touches no file that a person has to mend first, and says where', async () => {
    const { call, text, path } = await arrange();
    await writeFile(path, 'default: { threshold: high }\n');

    const answers = [await call('GET'), await call('PUT', { body: { threshold: 0.5 } })];

    expect(answers.map(({ status, body }) => [status, body.error?.code])).toEqual([
      [409, 'policies_unusable'],
      [409, 'policies_unusable'],
    ]);
    expect(answers[1]?.body.error?.message).toMatch(/workloads\.yaml:1:12/);
    expect(await text()).toBe('default: { threshold: high }\n');
  });

  it('takes an empty file for one that is being written, not for default policies', async () => {
    const { call, text, path } = await arrange();
    await writeFile(path, '');

    const { status, body } = await call('PUT', { as: 'eve', body: { approvers: ['eve'] } });

    expect([status, body.error?.code]).toEqual([409, 'policies_unusable']);
    expect(body.error?.message).toMatch(/workloads\.yaml is empty; write `\{\}`/);
    expect(await text()).toBe('');
  });

  it('says that it cannot write, and so does the audit', async () => {
    // Beside a name this long there is no room for the draft that replaces the file.
    const { call, text, lineage } = await arrange(file, `${'w'.repeat(240)}.yaml`);

    const { status, body } = await call('PUT', { body: { approvers: ['ana'] } });

    expect([status, body.error?.code]).toEqual([409, 'policies_unusable']);
    expect(body.error?.message).toMatch(/cannot be written by this process/);
    expect(await text()).toBe(file);
    expect((await lineage.audit.list('hr')).map(({ action }) => action)).toEqual([
      'policy_change_failed',
      'policy_change',
    ]);
  });
});
