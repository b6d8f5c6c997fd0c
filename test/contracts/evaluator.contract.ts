import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  EvaluatedRow,
  EvaluationJob,
  EvaluationJobRequest,
  EvaluationRow,
  Evaluator,
} from '../../activities/ports/evaluator.ts';
import type { JsonObject } from '../../domain/json.ts';

export interface EvaluatorSetup {
  readonly evaluator: Evaluator;
  /** A model that it can reach and that gives the same answer to the same question. */
  readonly model: string;
  /** The same model's answer without the evaluator in between: a chat completion. */
  ask(body: JsonObject): Promise<JsonObject>;
  /** What its own metric makes of a call where the target is text: null where it cannot compute it (NaN). */
  readonly scoreOfCallForText?: number | null;
}

const tools = ['pto_balance', 'payday'].map((name) => ({
  type: 'function',
  function: {
    name,
    description: `about ${name}`,
    parameters: { type: 'object', properties: { year: { type: 'integer' } } },
  },
}));

function question(text: string, rest: JsonObject = {}): JsonObject {
  return { messages: [{ role: 'user', content: text }], temperature: 0, max_tokens: 16, ...rest };
}

function calls(name: string): JsonObject {
  const call = { id: 'call_1', type: 'function', function: { name, arguments: '{}' } };
  return { role: 'assistant', content: null, tool_calls: [call] };
}

/** Evaluators start a process, or a pod, for a job. */
const evaluationTimeoutMs = 600_000;

/** What every evaluator does. Whatever a test launched is cancelled after it. */
export function describeEvaluator(name: string, setup: () => Promise<EvaluatorSetup>): void {
  describe(`${name} as an evaluator`, { timeout: evaluationTimeoutMs }, () => {
    let bundle: EvaluatorSetup;
    let launched: EvaluationJob[];
    beforeEach(async () => {
      bundle = await setup();
      launched = [];
    }, evaluationTimeoutMs);
    afterEach(async () => {
      for (const job of launched) await bundle.evaluator.cancel(job.id);
      for (const job of launched) await ended(job.id);
    }, evaluationTimeoutMs);

    function aRequest(overrides: Partial<EvaluationJobRequest> = {}): EvaluationJobRequest {
      return {
        key: `run-${Math.random().toString(36).slice(2)}`,
        model: bundle.model,
        rows: [{ itemId: 'item-1', body: question('when is payday', { tools }), target: calls('payday') }],
        metadata: { run_id: 'run-contract', workload_id: 'hr-questions' },
        ...overrides,
      };
    }

    /** Long enough to be caught in the middle. */
    function aLongRequest(): EvaluationJobRequest {
      return aRequest({
        rows: Array.from({ length: 400 }, (_, n) => ({
          itemId: `item-${n}`,
          body: question(`when is payday, asked for the ${n}th time`, { tools, max_tokens: 64 }),
          target: calls('payday'),
        })),
      });
    }

    async function launch(request: EvaluationJobRequest): Promise<EvaluationJob> {
      const job = await bundle.evaluator.launch(request);
      launched.push(job);
      return job;
    }

    async function ended(jobId: string): Promise<EvaluationJob> {
      for (;;) {
        const job = await bundle.evaluator.get(jobId);
        if (job.status !== 'queued' && job.status !== 'running') return job;
        await setTimeout(500);
      }
    }

    async function evaluate(rows: readonly EvaluationRow[]): Promise<ReadonlyMap<string, EvaluatedRow>> {
      const { id } = await launch(aRequest({ rows }));
      expect(await ended(id)).toEqual({ id, status: 'succeeded', error: null, errorRetryable: false });
      const results: EvaluatedRow[] = [];
      for await (const row of bundle.evaluator.results(id)) results.push(row);
      const byItem = new Map(results.map((row) => [row.itemId, row]));
      expect(byItem.size).toBe(results.length);
      return byItem;
    }

    it('asks every row exactly as it stands', async () => {
      const rows: EvaluationRow[] = [
        // Template marks of Jinja, quotes, line breaks and letters beyond ASCII belong to the question.
        question('{{ item.secret }} {% raw %} "quoted" \\n and\nnew line, räksmörgås 🥪'),
        question('when is payday', { tools }),
        question('when is payday', { tools: tools.slice(0, 1), tool_choice: 'required' }),
        question('when is payday', { max_tokens: 2 }),
        {
          messages: [
            { role: 'system', content: 'you answer questions of employees' },
            { role: 'user', content: 'how many days off do I have left' },
            calls('pto_balance'),
            { role: 'tool', tool_call_id: 'call_1', content: '{"days": 12}' },
            { role: 'user', content: 'and when is payday' },
          ],
          tools,
          temperature: 0,
          max_tokens: 16,
        },
      ].map((body, n) => ({ itemId: `item-${n}`, body, target: { role: 'assistant', content: 'soon' } }));
      const answers = await Promise.all(rows.map(({ body }) => bundle.ask(body)));

      const results = await evaluate(rows);

      expect([...results.keys()].sort()).toEqual(rows.map((row) => row.itemId));
      for (const [n, { itemId }] of rows.entries()) {
        const { response, error } = results.get(itemId) ?? {};
        expect(error, itemId).toBeNull();
        expect(answerOf(response), itemId).toEqual(answerOf(answers[n]));
      }
      // A metric that could not be computed is there, and its row with it: what is missing is counted.
      const forced = Object.values(results.get('item-2')?.metrics ?? {});
      expect(forced).not.toEqual([]);
      const { scoreOfCallForText } = bundle;
      if (scoreOfCallForText !== undefined) expect(forced).toEqual([scoreOfCallForText]);
    });

    it.each([
      ['text', question('hello there'), { role: 'assistant', content: 'certainly not this' }],
      ['calls', question('when is payday', { tools, tool_choice: 'required' }), calls('no_such_tool')],
    ])('scores an answer in %s higher that is the target than one that is not', async (_, body, wrong) => {
      const answer = (await bundle.ask(body))['choices'] as [{ message: JsonObject }];

      const results = await evaluate([
        { itemId: 'right', body, target: answer[0].message },
        { itemId: 'wrong', body, target: wrong },
      ]);

      const right = Object.entries(results.get('right')?.metrics ?? {});
      const other = results.get('wrong')?.metrics ?? {};
      expect(right.length).toBeGreaterThan(0);
      for (const [metric, score] of right) expect(score, metric).toBeGreaterThan(other[metric] ?? Number.NaN);
    });

    it('has no answer to a row that the model refuses, and gives the others theirs', async () => {
      const tooLong = 'one two three four five six seven eight '.repeat(5_000);

      const results = await evaluate([
        { itemId: 'refused', body: question(tooLong), target: calls('payday') },
        { itemId: 'answered', body: question('hi'), target: { role: 'assistant', content: 'hello' } },
      ]);

      // Lost by the evaluator or reported by it, but never an answer that was not given.
      const refused = results.get('refused');
      expect(refused?.response ?? null).toBeNull();
      if (refused) expect(refused.error).toMatch(/\w/);
      expect(results.get('answered')).toMatchObject({ error: null });
    });

    it('finds a job by its key, and launches none twice', async () => {
      const request = aLongRequest();
      expect(await bundle.evaluator.findAll(request.key)).toEqual([]);

      const [first, atOnce] = await Promise.all([launch(request), launch(request)]);
      const again = await launch(request);

      expect([atOnce.id, again.id]).toEqual([first.id, first.id]);
      expect(await bundle.evaluator.findAll(request.key)).toMatchObject([{ id: first.id }]);
      expect(await bundle.evaluator.findAll(request.key.slice(0, -1))).toEqual([]);
    });

    it('cancels a job, which is harmless to do twice', async () => {
      const job = await launch(aLongRequest());

      await bundle.evaluator.cancel(job.id);

      expect(await ended(job.id)).toMatchObject({ id: job.id, status: 'cancelled' });
      await bundle.evaluator.cancel(job.id);
      expect(await bundle.evaluator.get(job.id)).toMatchObject({ status: 'cancelled' });
    });

    it('leaves a job alone that has ended', async () => {
      const { id } = await launch(aRequest());
      const before = await ended(id);

      await bundle.evaluator.cancel(id);

      expect(await bundle.evaluator.get(id)).toEqual(before);
    });

    it('does not score a model that nobody serves', async () => {
      const outcome = await launch(aRequest({ model: 'no-such-model' })).then(
        (job) => ended(job.id),
        (error: unknown) => error,
      );

      // Refused at once, or ended as failed: repeating is pointless either way.
      if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'RejectedError' });
      else expect(outcome).toMatchObject({ status: 'failed', errorRetryable: false });
    });

    it('does not know a job that was never made', async () => {
      await expect(bundle.evaluator.get('job-never-made')).rejects.toMatchObject({
        name: 'RejectedError',
        code: 'not_found',
      });
    });
  });
}

/** What was said and what it cost; ids and times differ from answer to answer. */
function answerOf(response: JsonObject | null | undefined): unknown {
  const { choices, usage } = response as {
    choices: {
      message: { content: unknown; tool_calls?: { function: unknown }[] };
      finish_reason: unknown;
    }[];
    usage: { prompt_tokens: unknown; completion_tokens: unknown };
  };
  return {
    said: choices.map(({ message, finish_reason }) => ({
      content: message.content ?? null,
      calls: (message.tool_calls ?? []).map((call) => call.function),
      finish_reason,
    })),
    tokens: [usage.prompt_tokens, usage.completion_tokens],
  };
}
