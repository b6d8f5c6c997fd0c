import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { type Json, jsonEqual } from '../../domain/json.ts';
import { type DemoQuestion, demoQuestions } from '../../samples/help-desk/demo-questions.ts';
import { helpDeskWorkload, productionModel } from '../../samples/help-desk/generate.ts';
import type { CommandContext } from '../command.ts';
import { CommandError } from '../command-error.ts';
import type { Style } from '../output.ts';

/** The part of a chat completion that is shown. */
const Completion = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          tool_calls: z
            .array(z.object({ function: z.object({ name: z.string(), arguments: z.string() }) }))
            .nullish(),
        }),
      }),
    )
    .min(1),
});

const shownHeaders = ['x-flywheel-model', 'x-flywheel-route'] as const;

export interface LiveCall {
  readonly question: string;
  readonly answer: string;
  readonly expected: string;
  readonly right: boolean;
  readonly headers: Readonly<Record<string, string | null>>;
}

/** One alone would tell nothing of a model that is right five times in six. */
const questionCount = 8;

/** Asks questions that the traffic did not have, as the application would, and shows what comes back. */
export async function showLiveCalls(
  { out, signal }: CommandContext,
  config: Config,
  draw: { seed: number; seen: ReadonlySet<string> },
): Promise<readonly LiveCall[]> {
  const url = `${config.gateway.url}/v1/chat/completions`;
  out.line(`POST ${url}`);
  out.line(`  x-workload-id: ${helpDeskWorkload}`);
  out.line(`  model ${productionModel}, as the application always asked`);
  const calls: LiveCall[] = [];
  for (const question of demoQuestions(questionCount, draw)) {
    const call = await ask(question, { url, config, signal });
    if (calls.length === 0)
      for (const [name, value] of Object.entries(call.headers)) out.line(`  ${name}: ${value ?? '–'}`);
    out.line(callText(call, out.style));
    calls.push(call);
  }
  const right = calls.filter((call) => call.right).length;
  out.line(`\n${right} of ${calls.length} right; none of these questions was in the traffic.`);
  return calls;
}

function callText({ question, answer, expected, right }: LiveCall, style: Style): string {
  const mark = right ? style.green('✓') : style.red('✗');
  const remark = right ? '' : style.dim(`   expected: ${expected}`);
  return `\n${mark} ${JSON.stringify(question)}\n  ${style.bold(answer)}${remark}`;
}

async function ask(
  question: DemoQuestion,
  { url, config, signal }: { url: string; config: Config; signal: AbortSignal },
): Promise<LiveCall> {
  const response = await fetch(url, {
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/json',
      'x-workload-id': helpDeskWorkload,
      'x-client-id': 'demo',
      ...(config.gateway.ownToken !== null && { 'x-flywheel-token': config.gateway.ownToken }),
      // The route has moved this very second.
      'cache-control': 'no-cache',
    },
    body: JSON.stringify({ ...question.request, model: productionModel }),
  });
  const body = await response.text();
  if (!response.ok)
    throw new CommandError(`The gateway answered ${response.status}: ${body.slice(0, 300)}`, {
      code: 'live_call',
    });
  return readCall(question, body, response.headers);
}

function readCall({ text, expected }: DemoQuestion, body: string, headers: Headers): LiveCall {
  const message = Completion.parse(JSON.parse(body)).choices[0]?.message;
  const calls = message?.tool_calls ?? [];
  const [first] = calls;
  return {
    question: text,
    answer:
      calls.length > 0
        ? calls.map((call) => `${call.function.name} ${call.function.arguments}`).join(', ')
        : (message?.content ?? ''),
    expected: `${expected.name} ${JSON.stringify(expected.arguments)}`,
    right:
      calls.length === 1 &&
      first?.function.name === expected.name &&
      jsonEqual(parsed(first.function.arguments), expected.arguments),
    headers: Object.fromEntries(shownHeaders.map((name) => [name, headers.get(name)])),
  };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
