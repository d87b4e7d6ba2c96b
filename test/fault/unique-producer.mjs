// A process that enqueues the same unique job many times at once, and tells what it was given.
import { Queue } from '../../dist/queue/index.js';
import { Connections } from '../../dist/redis/index.js';
import { RedisJobStore } from '../../dist/store/index.js';

const { url, first, count, options } = JSON.parse(process.env.UNIQUE_PRODUCER);
const connections = new Connections(url);
await connections.connect();
const queue = new Queue('work', new RedisJobStore(connections));
const data = (value) => (options.unique.by === undefined ? { same: true } : { value });

async function enqueueAll() {
  const calls = Array.from({ length: count }, (_, index) =>
    queue.enqueue('act', data(first + index), options).then(
      ({ id, isNew }) => ({ id, isNew }),
      (error) => ({ id: error.jobId, code: error.code }),
    ),
  );
  process.send({ given: await Promise.all(calls) });
  await connections.close();
  process.disconnect();
}

process.on('message', () => void enqueueAll());
process.send({ ready: true });
