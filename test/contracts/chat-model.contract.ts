import { describe, expect, it } from 'vitest';
import type { ChatModel } from '../../activities/ports/chat-model.ts';
import type { JsonObject } from '../../domain/json.ts';

export interface ChatModelSetup {
  readonly chatModel: ChatModel;
  /** A model that it serves. */
  readonly model: string;
  /** Its longest prompt in tokens, where the server itself cannot tell. */
  readonly contextLength?: number;
}

const tools = ['pto_balance', 'payday'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { year: { type: 'integer' } } } },
}));

function question(text: string): JsonObject {
  return { messages: [{ role: 'user', content: text }], temperature: 0, max_completion_tokens: 16 };
}

/** What every chat model does. */
export function describeChatModel(name: string, setup: () => Promise<ChatModelSetup>): void {
  describe(`${name} as a chat model`, () => {
    it('answers with a chat completion, its tokens counted', async () => {
      const { chatModel, model } = await setup();

      const reply = await chatModel.complete({ model, body: question('hello there'), timeoutMs: 60_000 });

      expect(reply.response).toMatchObject({
        object: 'chat.completion',
        model,
        choices: [{ index: 0, message: { role: 'assistant' } }],
        usage: {
          prompt_tokens: expect.any(Number) as number,
          completion_tokens: expect.any(Number) as number,
        },
      });
      expect(reply.latencyMs).toBeGreaterThan(0);
    });

    it('gives the same answer to the same question', async () => {
      const { chatModel, model } = await setup();
      const body = { ...question('when is payday'), tools };

      const [first, second] = await Promise.all([
        chatModel.complete({ model, body, timeoutMs: 60_000 }),
        chatModel.complete({ model, body, timeoutMs: 60_000 }),
      ]);

      expect(messageOf(second.response)).toEqual(messageOf(first.response));
    });

    it('answers with no more tokens than asked for', async () => {
      const { chatModel, model } = await setup();
      const body = { ...question('tell me everything'), max_completion_tokens: 2 };

      const { response } = await chatModel.complete({ model, body, timeoutMs: 60_000 });

      expect(response['usage']).toMatchObject({
        completion_tokens: expect.toSatisfy((n: number) => n <= 2) as number,
      });
    });

    it('counts the tokens that a prompt costs, tools included, or says that it cannot', async () => {
      const { chatModel, model, contextLength } = await setup();
      if (contextLength !== undefined) {
        expect(await chatModel.countTokens(model, question('when is payday'))).toBeNull();
        return;
      }
      const plain = question('when is payday');
      const withTools = { ...plain, tools };

      const counts = await Promise.all([plain, withTools].map((body) => chatModel.countTokens(model, body)));
      const { response } = await chatModel.complete({ model, body: withTools, timeoutMs: 60_000 });

      expect(counts[1]?.count).toBeGreaterThan(counts[0]?.count ?? Number.NaN);
      expect(response['usage']).toMatchObject({ prompt_tokens: counts[1]?.count });
      expect(counts[0]?.contextLength).toBeGreaterThan(counts[0]?.count ?? Number.NaN);
    });

    it('refuses a prompt that does not fit its context, by code', async () => {
      const { chatModel, model, contextLength: known } = await setup();
      const counted = known === undefined ? await chatModel.countTokens(model, question('hi')) : null;
      const contextLength = known ?? counted?.contextLength ?? 100_000;
      const body = question('one two three four five six seven eight '.repeat(contextLength / 4));

      const asking = chatModel.complete({ model, body, timeoutMs: 60_000 });

      await expect(asking).rejects.toMatchObject({ name: 'RejectedError', code: 'context_length_exceeded' });
    });

    it('refuses a model that it does not serve, by code', async () => {
      const { chatModel } = await setup();

      const asking = chatModel.complete({ model: 'no-such-model', body: question('hi'), timeoutMs: 60_000 });

      await expect(asking).rejects.toMatchObject({ name: 'RejectedError', code: 'model_not_found' });
    });

    it('refuses a body that is none, and says what is wrong', async () => {
      const { chatModel, model } = await setup();
      const body = { messages: [{ role: 'robot', content: 'hi' }] };

      const asking = chatModel.complete({ model, body, timeoutMs: 60_000 });

      await expect(asking).rejects.toMatchObject({ name: 'RejectedError' });
      await expect(asking).rejects.toThrow(/role/);
    });

    it('knows which models it serves', async () => {
      const { chatModel, model } = await setup();

      expect(await chatModel.isServed(model)).toBe(true);
      expect(await chatModel.isServed('no-such-model')).toBe(false);
    });

    it('gives up when the time is over', async () => {
      const { chatModel, model } = await setup();

      const asking = chatModel.complete({ model, body: question('hi'), timeoutMs: 1 });

      await expect(asking).rejects.toMatchObject({ name: 'UnavailableError', kind: 'timeout' });
    });

    it('stops when its caller does, with the caller’s reason', async () => {
      const { chatModel, model } = await setup();
      const reason = new Error('the run was cancelled');

      const asking = chatModel.complete({
        model,
        body: question('hi'),
        timeoutMs: 60_000,
        signal: AbortSignal.abort(reason),
      });

      await expect(asking).rejects.toBe(reason);
    });
  });
}

function messageOf(response: JsonObject): unknown {
  return (
    response['choices'] as { message: { content: unknown; tool_calls?: { function: unknown }[] } }[]
  ).map(({ message }) => [message.content, message.tool_calls?.map((call) => call.function)]);
}
