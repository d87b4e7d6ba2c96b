// A Nest-side worker in a process of its own, for a test that kills it: says which jobs it runs, ends none of them.
import { Connections } from '../../dist/redis/index.js';
import { RedisJobStore } from '../../dist/store/index.js';
import { HandlerRegistry, Worker } from '../../dist/worker/index.js';

const connections = new Connections(process.env.REDIS_URL, {});
await connections.connect();
const handlers = new HandlerRegistry();
handlers.register({
  queue: 'shared',
  name: 'tasks.add',
  owner: 'child',
  run: (_data, job) => {
    process.send({ started: job.id, attempt: job.attempt });
    return new Promise(() => {});
  },
});
const worker = new Worker(new RedisJobStore(connections), handlers, { lease: process.env.LEASE });
await worker.start();
process.send({ ready: worker.name });
