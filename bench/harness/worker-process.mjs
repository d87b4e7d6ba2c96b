// One more process with a worker: `worker-process.mjs ADAPTER JSON-OPTIONS` with the options of `openConsumer`.
// Asked `start`, it works; asked `stop`, it answers with what it has run.

import { answer } from './children.mjs';

const [adapterName, options] = process.argv.slice(2);
const adapter = await import(`../adapters/${adapterName}.mjs`);
const handled = { numbers: [], ids: [] };
const consumer = await adapter.openConsumer({
  ...JSON.parse(options),
  handle(data, id) {
    handled.numbers.push(data.n);
    handled.ids.push(id);
    return data.n;
  },
});

answer(async ({ request }) => {
  if (request === 'start') await consumer.start();
  if (request === 'stop') {
    await consumer.stop();
    return { handled };
  }
  return {};
});
