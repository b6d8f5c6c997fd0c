import { z } from 'zod';
import type { Probe } from '../../activities/ports/adapter-files.ts';
import { RejectedError } from '../../domain/errors.ts';
import type { Client } from '../openai/client.ts';

/** A forward pass over a prompt, perhaps the first of an adapter. */
const timeoutMs = 5 * 60_000;

/** For an adapter without a record: any text will do, for an adapter that is applied changes the odds of each. */
const texts = [
  'The order arrived late and the box was open.',
  '{"name": "find_order", "arguments": {"order_id": "A-1042"}}',
  'How many days off do I have left?',
];
/** Nats. Two computations of the same differ by less, where the server computes alike each time. */
const rounding = 1e-6;

const Scored = z
  .object({
    choices: z.tuple([
      z.object({ logprobs: z.object({ token_logprobs: z.array(z.number().nullable()).min(2) }) }),
    ]),
  })
  .transform(({ choices: [{ logprobs }] }) => logprobs.token_logprobs);

/**
 * Why the adapter is not applied, or null where it is: a vLLM that lists an adapter and answers by the base, or by
 * another adapter, would otherwise serve it in silence.
 *
 * By its record, where its trainer kept one: on a few of its own training prompts the adapter answers as it did in
 * its training, and the base does not. What is compared is which of the two the answers are nearer to, for a server
 * of another precision moves every number a little. Without one: the adapter's odds of a text are not the base's,
 * by more than the base's own from one time to the next.
 */
export async function whyNotApplied(
  client: Client,
  {
    model,
    base,
    probes,
  }: { readonly model: string; readonly base: string; readonly probes: readonly Probe[] },
): Promise<string | null> {
  try {
    return probes.length > 0
      ? await unlikeItsRecord(client, { model, base, probes })
      : await likeItsBase(client, { model, base });
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    return `it is loaded, and nothing shows that it is applied: ${error.message}`;
  }
}

async function unlikeItsRecord(
  client: Client,
  { model, base, probes }: { model: string; base: string; probes: readonly Probe[] },
): Promise<string | null> {
  let [ofAdapter, ofBase] = [0, 0];
  for (const { prompt, answer, logprobs } of probes) {
    const text = [...prompt, ...answer];
    const recorded = (all: readonly (number | null)[]) =>
      farthest(all.slice(prompt.length, text.length), logprobs);
    ofAdapter = Math.max(ofAdapter, recorded(await score(client, model, text)));
    ofBase = Math.max(ofBase, recorded(await score(client, base, text)));
  }
  // Written so that NaN is no proof.
  if (ofAdapter < ofBase / 2) return null;
  return (
    `it does not answer as after its training: on ${probes.length} of its training prompts its log-probabilities ` +
    `are ${nats(ofAdapter)} away from its record, and those of ${base} ${nats(ofBase)}. ` +
    'The base, or another adapter, answers under its name.'
  );
}

async function likeItsBase(
  client: Client,
  { model, base }: { model: string; base: string },
): Promise<string | null> {
  let [difference, noise] = [0, 0];
  for (const text of texts) {
    const first = await score(client, base, text);
    difference = Math.max(difference, farthest(await score(client, model, text), first));
    noise = Math.max(noise, farthest(await score(client, base, text), first));
  }
  if (difference > Math.max(rounding, 4 * noise)) return null;
  return (
    `it answers as ${base} does: on ${texts.length} texts their log-probabilities differ by ${nats(difference)}, ` +
    `and those of ${base} alone by ${nats(noise)} from one time to the next. The base answers under its name, or ` +
    'training changed nothing.'
  );
}

/** The log-probability of each token of a text; the first has none. The one token more that is made is the last. */
function score(client: Client, model: string, prompt: string | readonly number[]) {
  return client.call({
    ...{ doing: `score a text with ${model}`, timeoutMs, reply: Scored },
    send: (openai, options) =>
      openai.post('/completions', {
        ...options,
        body: { model, prompt, echo: true, logprobs: 1, max_tokens: 1, temperature: 0 },
      }),
  });
}

function farthest(some: readonly (number | null)[], others: readonly (number | null)[]): number {
  if (some.length !== others.length) return Number.NaN;
  return Math.max(...some.map((one, at) => Math.abs((one ?? 0) - (others[at] ?? 0))));
}

function nats(difference: number): string {
  return `${difference.toPrecision(2)} nats`;
}
