/**
 * Makes calls to a judge as fast as one client can, so many at once, and prints what that took as JSON.
 *
 *     node bench/judge/client.mjs CLIENT BASE_URL CALLS AT_ONCE
 */

const [client, baseUrl, calls, atOnce] = process.argv.slice(2);
const [count, concurrency] = [Number(calls), Number(atOnce)];

const FORM = {
  name: 'score',
  schema: {
    type: 'object',
    properties: {
      steps: {
        type: 'array',
        items: {
          type: 'object',
          properties: { description: { type: 'string' }, conclusion: { type: 'string' } },
          required: ['description', 'conclusion'],
          additionalProperties: false,
        },
      },
      result: { type: 'number' },
    },
    required: ['steps', 'result'],
    additionalProperties: false,
  },
};
const RUBRIC = 'Grade how well the answer agrees with the reference, from 0 to 1. '.repeat(12);

const messagesOf = (row) => [
  { role: 'system', content: RUBRIC },
  { role: 'user', content: `Row ${row}. Reference: Paris. Answer: It is Paris, the capital of France.` },
];

const bodyOf = (row) => ({
  model: 'bench',
  messages: messagesOf(row),
  response_format: { type: 'json_schema', json_schema: { ...FORM, strict: true } },
});

/** How each client makes one call; every one gives the text of the reply. */
const CLIENTS = {
  async assay() {
    const { createJudge } = await import('../../dist/index.js');
    const config = { default: { base_url: baseUrl, concurrency } };
    const judge = createJudge({ config, env: {} });
    return {
      async ask(row) {
        const call = { model: 'bench', messages: messagesOf(row), sampling: {}, form: FORM, repeat: 0 };
        return (await judge.ask(call)).text;
      },
      close: () => judge.close(),
    };
  },
  async undici() {
    const { Pool } = await import('undici');
    const { origin, pathname } = new URL(baseUrl);
    const pool = new Pool(origin, { connections: concurrency });
    const headers = { 'content-type': 'application/json' };
    return {
      async ask(row) {
        const body = JSON.stringify(bodyOf(row));
        const reply = await pool.request({
          path: `${pathname}/chat/completions`,
          method: 'POST',
          headers,
          body,
        });
        return (await reply.body.json()).choices[0].message.content;
      },
      close: () => pool.close(),
    };
  },
  async openai() {
    const { OpenAI } = await import('openai');
    const openai = new OpenAI({ baseURL: baseUrl, apiKey: 'none', maxRetries: 0 });
    return {
      async ask(row) {
        return (await openai.chat.completions.create(bodyOf(row))).choices[0].message.content;
      },
      close() {},
    };
  },
};

const { ask, close } = await CLIENTS[client]();

/** Makes calls from a row on, never more than so many at once. */
const makeCalls = async (from, calls) => {
  let next = from;
  const work = async () => {
    while (next < from + calls) {
      next += 1;
      if (JSON.parse(await ask(next)).result !== 0.9)
        throw new Error(`${client}: another reply than was sent`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
};

// Connections are made, code is compiled, and ours has found out how many calls at once are borne.
await makeCalls(0, concurrency * 6);
const cpu = process.cpuUsage();
const start = performance.now();
await makeCalls(1e6, count);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpu);
await close();
process.stdout.write(
  JSON.stringify({
    seconds,
    cpuSeconds: (user + system) / 1e6,
    maxRssMiB: process.resourceUsage().maxRSS / 1024,
  }),
);
