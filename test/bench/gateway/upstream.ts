import { createServer } from 'node:http';

/**
 * A model's endpoint that answers at once, so that what is measured is the way there and back. In a process of
 * its own; prints its URL.
 */
const head = { id: 'chatcmpl-bench', created: 1, model: 'bench' };
const usage = { prompt_tokens: 700, completion_tokens: 40, total_tokens: 740 };
const words =
  'The order was sent on Monday and should reach you within three working days from then on.'.split(' ');

const whole = JSON.stringify({
  ...head,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: words.join(' ') }, finish_reason: 'stop' }],
  usage,
});

const event = (delta: object, finishReason: string | null) =>
  `data: ${JSON.stringify({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  })}\n\n`;
const events = [
  ...words.map((word) => event({ content: `${word} ` }, null)),
  event({}, 'stop'),
  'data: [DONE]\n\n',
];

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (!Buffer.concat(chunks).includes('"stream":true')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(whole);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    // Each in a write of its own, as a model sends them.
    for (const each of events) response.write(each);
    response.end();
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null)
    process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
