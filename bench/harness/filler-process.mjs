// The process that fills queues: `filler-process.mjs ADAPTER JSON-OPTIONS` with the options of `openProducer`. Asked
// `fill`, it enqueues in lists; asked `ids`, it answers with those of all its jobs in order.

import { answer } from './children.mjs';
import { fill } from './filling.mjs';

const [adapterName, options] = process.argv.slice(2);
const adapter = await import(`../adapters/${adapterName}.mjs`);
const producer = await adapter.openProducer(JSON.parse(options));
const ids = [];

answer(async ({ request, jobs, from, large }) => {
  if (request === 'fill') ids.push(...(await fill(producer, jobs, { from, large })));
  if (request === 'pause') await producer.pause();
  if (request === 'resume') await producer.resume();
  return request === 'ids' ? { ids } : {};
});
