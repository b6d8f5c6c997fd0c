import { CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { createEvaluate, type EvaluateInput } from '../../activities/evaluate.ts';
import type { ChatModel, ChatRequest } from '../../activities/ports/chat-model.ts';
import type { Embedder } from '../../activities/ports/embedder.ts';
import { RejectedError, UnavailableError, type UnavailableKind } from '../../domain/errors.ts';
import { chatBody } from '../../domain/experiments/chat-body.ts';
import { writeIndex } from '../../domain/experiments/few-shot-index.ts';
import type { JsonObject } from '../../domain/json.ts';
import { openFewShots } from '../../wiring/open-few-shots.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { aDataset, anExample } from '../support/experiments.ts';
import { inMemoryArtifacts } from '../support/in-memory-artifacts.ts';
import { inMemoryDatasets, inMemoryEvaluations } from '../support/in-memory-lineage.ts';

const serving = { provider: 'local', model: 'nano-1m', fewShotUri: null, maxTokens: 64 };
const input: EvaluateInput = {
  experimentId: 'run-1/nano/base',
  runId: 'run-1',
  datasetId: 'data-1',
  serving,
};

type Reply = (request: ChatRequest, question: string) => JsonObject | Promise<JsonObject>;

async function setup(
  options: { items?: number; concurrency?: number; reply?: Reply; embed?: Embedder['embed'] } = {},
) {
  const { items = 5, concurrency = 2 } = options;
  const examples = Array.from({ length: items }, (_, n) => anExample(n));
  const artifacts = inMemoryArtifacts();
  const evalFile = await artifacts.putLines(examples.map((example) => JSON.stringify(example)));
  const evaluations = inMemoryEvaluations();
  const asked: string[] = [];
  const model = { reply: options.reply ?? (() => rightCall) };
  const embedder = { embed: options.embed ?? (() => Promise.reject(new Error('not asked'))) };
  const chatModel: ChatModel = {
    async complete(request) {
      const question = questionOf(request);
      asked.push(question);
      const response = await model.reply(request, question);
      return { response, latencyMs: 10 };
    },
    countTokens: async () => null,
    isServed: async () => true,
  };
  const ports = {
    artifacts,
    lineage: { datasets: inMemoryDatasets(aDataset({ files: { eval: evalFile } })), evaluations },
    chatModels: () => chatModel,
    evaluators: () => null,
    fewShots: openFewShots(artifacts, () => embedder),
  };
  const { evaluate } = createEvaluate(ports, { concurrency, itemTimeoutMs: 1_000, backoffMs: 1 });
  const run = (environment = anAttempt(), of: EvaluateInput = input) => runIn(environment, evaluate, of);
  return { run, asked, model, evaluations, artifacts, examples };
}

function questionOf({ body }: ChatRequest): string {
  const last = (body['messages'] as { content: string }[]).at(-1)?.content ?? '';
  return /\((\d+)\)/.exec(last)?.[1] ?? 'probe';
}

function completion(message: JsonObject): JsonObject {
  return {
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 20, completion_tokens: 5 },
  };
}
function callOf(name: string): JsonObject {
  const call = { id: 'call_1', type: 'function', function: { name, arguments: '{}' } };
  return completion({ role: 'assistant', content: null, tool_calls: [call] });
}
const rightCall = callOf('pto_balance');

function unavailable(kind: UnavailableKind, retryAfterMs?: number): UnavailableError {
  return new UnavailableError(`the server is ${kind}`, {
    kind,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

test('every item is asked once and scored', async () => {
  const { run, asked, model } = await setup();
  model.reply = (_, question) => (question === '3' ? callOf('payday') : rightCall);

  const summary = await run();

  expect(summary).toMatchObject({ n: 5, failed: 0, failures: {}, tokens: { prompt: 100, completion: 25 } });
  expect(summary.metrics['call_accuracy']).toBeCloseTo(0.8);
  expect(Object.keys(summary.metrics)[0]).toBe('call_accuracy');
  expect(asked.sort()).toEqual(['0', '1', '2', '3', '4']);
});

test('an item is asked exactly as the route would ask it', async () => {
  const requests: ChatRequest[] = [];
  const { run, artifacts, examples } = await setup({
    items: 1,
    reply: (request) => {
      requests.push(request);
      return rightCall;
    },
  });
  const fewShot = 'Examples:\n\nUser: when is payday\nAssistant: call payday {}';
  const { uri } = await artifacts.putText(fewShot);

  await run(anAttempt(), { ...input, serving: { ...serving, fewShotUri: uri } });

  const [example] = examples;
  expect(requests[0]).toMatchObject({ model: 'nano-1m', timeoutMs: 1_000 });
  expect(requests[0]?.body).toEqual(chatBody(example ?? anExample(0), { fewShot, maxTokens: 64 }));
});

test('an attempt after a kill asks only the items that are missing', async () => {
  const { run, asked, model, evaluations } = await setup({ items: 8 });
  // The process dies with two answers on their way.
  let answered = 0;
  model.reply = () => {
    if (++answered > 4) throw new Error('SIGKILL');
    return rightCall;
  };
  await expect(run()).rejects.toThrow('SIGKILL');
  const stored = [...evaluations.stored.keys()].map((id) => id.replace('rec_', ''));
  asked.length = 0;
  model.reply = () => rightCall;

  const summary = await run();

  expect(stored).toHaveLength(4);
  expect(asked).toHaveLength(4);
  expect(asked.filter((question) => stored.includes(question))).toEqual([]);
  expect(summary.n).toBe(8);
});

test('the same evaluation is the same one in every attempt, another serving is another', async () => {
  const { run, evaluations } = await setup({ items: 1 });

  await run();
  await run();
  expect(evaluations.opened.size).toBe(1);
  await run(anAttempt(), { ...input, serving: { ...serving, model: 'other' } });

  expect(evaluations.opened.size).toBe(2);
});

test('no more items are in flight than allowed', async () => {
  let inFlight = 0;
  let most = 0;
  const { run } = await setup({
    items: 12,
    concurrency: 3,
    reply: async () => {
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setTimeout(resolve, 2));
      inFlight -= 1;
      return rightCall;
    },
  });

  await run();

  expect(most).toBe(3);
});

test('an attempt tells how far it is', async () => {
  const { run } = await setup({ items: 4 });
  const environment = anAttempt();
  const heartbeats: unknown[] = [];
  environment.on('heartbeat', (details) => heartbeats.push(details));

  await run(environment);

  expect(heartbeats[0]).toEqual({ done: 0, total: 4 });
  expect(heartbeats.at(-1)).toEqual({ done: 4, total: 4 });
});

test.each([
  ['timeout', () => Promise.reject(unavailable('timeout'))],
  ['provider_error', () => Promise.reject(unavailable('failing'))],
  ['provider_error', () => Promise.reject(unavailable('unreachable'))],
  ['too_long', () => Promise.reject(new RejectedError('too long', { code: 'context_length_exceeded' }))],
  ['refusal', () => Promise.reject(new RejectedError('filtered', { code: 'content_filter' }))],
  ['refusal', () => completion({ role: 'assistant', content: null, refusal: 'I must not.' })],
  ['provider_error', () => Promise.reject(new RejectedError('odd', { code: 'invalid_value' }))],
  ['unparsable', () => completion({ role: 'assistant', content: 'NUL \u0000 in the middle' })],
] satisfies [string, () => ReturnType<Reply>][])(
  '%s is a wrong answer, counted apart',
  async (failure, reply) => {
    const { run, model, evaluations } = await setup();
    model.reply = (_, question) => (question === '2' ? reply() : rightCall);

    const summary = await run();

    expect(summary).toMatchObject({ n: 5, failed: 1, failures: { [failure]: 1 } });
    expect(summary.metrics['call_accuracy']).toBeCloseTo(0.8);
    expect(evaluations.stored.get('rec_2')).toMatchObject({ failure, scores: { call_accuracy: 0 } });
  },
);

test('a passing error is no failure', async () => {
  const { run, model } = await setup();
  const failedOnce = new Set<string>();
  model.reply = (_, question) => {
    if (failedOnce.has(question)) return rightCall;
    failedOnce.add(question);
    throw unavailable('failing');
  };

  const summary = await run();

  expect(summary).toMatchObject({ n: 5, failed: 0 });
});

test('throttling is waited out as asked', async () => {
  const { run, model } = await setup({ items: 1 });
  let refused = 0;
  model.reply = () => {
    if (++refused <= 5) throw unavailable('busy', 1);
    return rightCall;
  };

  const summary = await run();

  expect(summary).toMatchObject({ n: 1, failed: 0 });
});

test('throttling that lasts is Temporal’s to wait for, and never a wrong answer', async () => {
  const { run, model, evaluations } = await setup();
  model.reply = (_, question) => {
    if (question === '4') throw unavailable('busy', 90_000);
    return rightCall;
  };

  await expect(run()).rejects.toMatchObject({ name: 'UnavailableError', retryAfterMs: 90_000 });
  expect(evaluations.stored.has('rec_4')).toBe(false);
});

test.each(['unreachable', 'timeout', 'failing'] as const)(
  'a provider that is %s altogether scores nothing; the next attempt asks again',
  async (kind) => {
    const { run, model, evaluations } = await setup({ items: 12, concurrency: 4 });
    let answered = 0;
    model.reply = () => {
      if (++answered > 3) throw unavailable(kind);
      return rightCall;
    };
    await expect(run()).rejects.toMatchObject({ name: 'UnavailableError', kind });
    expect([...evaluations.stored.values()].map((item) => item.failure)).toEqual([null, null, null]);
    model.reply = () => rightCall;

    const summary = await run();

    expect(summary).toMatchObject({ n: 12, failed: 0 });
  },
);

test('a poisonous last item is a failure, not an outage without end', async () => {
  const { run, model } = await setup({ items: 3, concurrency: 1 });
  model.reply = (_, question) => {
    if (question === '2') throw unavailable('unreachable');
    return rightCall;
  };

  const summary = await run();

  expect(summary).toMatchObject({ n: 3, failures: { provider_error: 1 } });
});

test('a model that fails whatever it is asked is given up after many attempts', async () => {
  const { run, model } = await setup();
  model.reply = () => {
    throw unavailable('failing');
  };

  await expect(run(anAttempt({ attempt: 2 }))).rejects.toMatchObject({ name: 'UnavailableError' });
  await expect(run(anAttempt({ attempt: 10 }))).rejects.toMatchObject({
    name: 'RejectedError',
    code: 'model_failing',
  });
});

test.each(['unauthorized', 'model_not_found', 'not_found', 'insufficient_quota'])(
  '%s ends the evaluation instead of counting every item as wrong',
  async (code) => {
    const { run, model, evaluations } = await setup();
    model.reply = () => {
      throw new RejectedError('refused', { code });
    };

    await expect(run()).rejects.toMatchObject({ name: 'RejectedError', code });
    expect(evaluations.stored.size).toBe(0);
  },
);

test('a cancellation breaks off what is in flight and stores nothing for it', async () => {
  const environment = anAttempt();
  const { run, evaluations, asked } = await setup({
    items: 10,
    concurrency: 2,
    reply: ({ signal }, question) => {
      if (question !== '4') return rightCall;
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        environment.cancel('CANCELLED');
      });
    },
  });

  await expect(run(environment)).rejects.toBeInstanceOf(CancelledFailure);

  expect(evaluations.stored.has('rec_4')).toBe(false);
  expect(asked.length).toBeLessThan(10);
});

test('when one item ends the attempt, nothing of it writes afterwards', async () => {
  const { run, model, evaluations } = await setup({ items: 6, concurrency: 3 });
  model.reply = async ({ signal }, question) => {
    if (question === '1') throw new RejectedError('refused', { code: 'unauthorized' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    signal?.throwIfAborted();
    return rightCall;
  };

  await expect(run()).rejects.toMatchObject({ code: 'unauthorized' });
  const atTheEnd = evaluations.stored.size;
  await new Promise((resolve) => setTimeout(resolve, 30));

  expect(evaluations.stored.size).toBe(atTheEnd);
});

describe('items that do not fit the context', () => {
  const tooLong = new RejectedError('maximum context length is 2048 tokens', {
    code: 'context_length_exceeded',
  });

  test('count as wrong answers while others fit', async () => {
    const { run, model } = await setup();
    model.reply = (_, question) => {
      if (question !== '3') throw tooLong;
      return rightCall;
    };

    const summary = await run();

    expect(summary).toMatchObject({ n: 5, failed: 4, failures: { too_long: 4 } });
    expect(summary.metrics['call_accuracy']).toBeCloseTo(0.2);
  });

  test('fail the experiment where none fits: with the numbers, stored, and not asked again by a retry', async () => {
    const { run, model, asked, evaluations } = await setup();
    model.reply = () => {
      throw tooLong;
    };

    const first = await run().catch((error: unknown) => error);
    asked.length = 0;
    const second = await run().catch((error: unknown) => error);

    expect(first).toMatchObject({
      name: 'RejectedError',
      retryable: false,
      message: expect.stringMatching(/None of the 5 items fits into the context of nano-1m.*2048 tokens/),
    });
    expect(second).toEqual(first);
    expect(asked).toEqual([]);
    expect([...evaluations.stored.values()].map((item) => item.failure)).toEqual(Array(5).fill('too_long'));
  });
});

const similar = { provider: 'local', model: 'nano-1m', relevanceShare: 0.7, maxExamples: 1 };

/** An index of two examples, one on each axis. */
function anIndex(): string {
  return writeIndex([
    { recordId: 'a', label: 'payday', text: 'User: when is payday', embedding: [1, 0] },
    { recordId: 'b', label: 'pto', text: 'User: days left', embedding: [0, 1] },
  ]);
}

test('with similarity each item gets the examples that are like it', async () => {
  const sent: JsonObject[] = [];
  const reply: Reply = ({ body }) => {
    sent.push(body);
    return rightCall;
  };
  const embed: Embedder['embed'] = async ({ texts }) =>
    texts.map((text) => (text.includes('(0)') ? [0.1, 0.9] : [0.9, 0.1]));
  const { run, artifacts } = await setup({ items: 2, reply, embed });
  const { uri } = await artifacts.putText(anIndex());

  await run(anAttempt(), { ...input, serving: { ...serving, fewShotUri: uri, similarity: similar } });

  const [first, second] = [...sent]
    .map((body) => JSON.stringify(body))
    .sort((a) => (a.includes('(0)') ? -1 : 1));
  expect(first).toContain('days left');
  expect(second).toContain('when is payday');
});

test.each([
  ['an embedder that refuses', new RejectedError('no such model'), 'RejectedError'],
  ['an embedder that is down', new UnavailableError('unreachable'), 'UnavailableError'],
])('%s fails the evaluation: it is never counted as the model’s wrong answer', async (_, error, name) => {
  const { run, artifacts, evaluations } = await setup({ embed: () => Promise.reject(error) });
  const { uri } = await artifacts.putText(anIndex());

  const evaluated = run(anAttempt(), {
    ...input,
    serving: { ...serving, fewShotUri: uri, similarity: similar },
  });

  await expect(evaluated).rejects.toMatchObject({ name });
  expect(evaluations.stored.size).toBe(0);
});

test('a question too long for the embedder gets the first examples, as one without words does', async () => {
  const sent: JsonObject[] = [];
  const reply: Reply = ({ body }) => {
    sent.push(body);
    return rightCall;
  };
  const embed: Embedder['embed'] = async ({ texts }) => {
    if (texts.some((text) => text.includes('(0)')))
      throw new RejectedError('too long', { code: 'context_length_exceeded' });
    return texts.map(() => [0, 1]);
  };
  const { run, artifacts, evaluations } = await setup({ items: 2, concurrency: 1, reply, embed });
  const { uri } = await artifacts.putText(anIndex());

  await run(anAttempt(), { ...input, serving: { ...serving, fewShotUri: uri, similarity: similar } });

  const [long, other] = sent.map((body) => JSON.stringify(body)).sort((a) => (a.includes('(0)') ? -1 : 1));
  expect(long).toContain('when is payday');
  expect(other).toContain('days left');
  expect([...evaluations.stored.values()].map(({ failure }) => failure)).toEqual([null, null]);
});

test('an embedder that now answers in another space fails the evaluation', async () => {
  const { run, artifacts } = await setup({ embed: async ({ texts }) => texts.map(() => [1, 0, 0]) });
  const { uri } = await artifacts.putText(anIndex());

  const evaluated = run(anAttempt(), {
    ...input,
    serving: { ...serving, fewShotUri: uri, similarity: similar },
  });

  await expect(evaluated).rejects.toThrow(/3 dimensions now, and in 2/);
});

test('few-shot texts are read once, even for many who ask at once, and the least used are forgotten', async () => {
  let reads: string[] = [];
  let isDown = true;
  const readText = async (uri: string) => {
    reads.push(uri);
    if (isDown) throw new UnavailableError('unreachable');
    return `text of ${uri}`;
  };
  const fewShots = openFewShots({ readText }, () => ({
    embed: () => Promise.reject(new Error('not asked')),
  }));
  const textOf = (fewShotUri: string) => fewShots.textFor({ ...serving, fewShotUri }, []);

  await expect(textOf('first')).rejects.toThrow('unreachable');
  isDown = false;
  await Promise.all(Array.from({ length: 5 }, () => textOf('first')));
  expect(reads).toEqual(['first', 'first']);

  for (let n = 0; n < 7; n += 1) await textOf(`other-${n}`);
  await textOf('first');
  await textOf('one-more');
  reads = [];
  await textOf('first');
  expect(await textOf('other-0')).toBe('text of other-0');
  expect(reads).toEqual(['other-0']);
});
