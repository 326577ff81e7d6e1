/** A judge that answers every call after a fixed time; a process of its own. Prints its port. */
import { createServer } from 'node:http';

const LATENCY_MS = Number(process.argv[2]);

const reply = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'bench-2026',
  choices: [
    {
      index: 0,
      finish_reason: 'stop',
      message: {
        role: 'assistant',
        refusal: null,
        content: JSON.stringify({
          steps: [{ description: 'Compare the answer with the reference.', conclusion: 'They agree.' }],
          result: 0.9,
        }),
      },
    },
  ],
  usage: { prompt_tokens: 250, completion_tokens: 40, total_tokens: 290 },
});
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(reply) };

// One body serves all: what is measured is the client, and the two may share a machine's cores.
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const arrived = performance.now();
  request.resume();
  request.once('end', () => {
    const left = LATENCY_MS - (performance.now() - arrived);
    setTimeout(() => response.writeHead(200, headers).end(reply), Math.max(0, left));
  });
});
server.listen(0, '127.0.0.1', 2048, () => process.stdout.write(`${server.address().port}\n`));
