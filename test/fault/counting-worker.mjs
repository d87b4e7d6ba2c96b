// A worker process that counts: its one handler ends as the job's data says. It is stopped by SIGTERM, and then tells what
// it has counted in all.
import { setTimeout as pause } from 'node:timers/promises';
// The engine alone, without Nest (see test/support/bundled-script.ts).
import { CancelJob, FailJob } from '../../dist/job/index.js';
import { Connections } from '../../dist/redis/index.js';
import { RedisJobStore } from '../../dist/store/index.js';
import { HandlerRegistry, Worker } from '../../dist/worker/index.js';

const { REDIS_URL: url, WORKER_NAME: name } = process.env;

async function act({ kind, ms }) {
  await pause(ms);
  if (kind === 'failed') throw new FailJob('no');
  if (kind === 'canceled') throw new CancelJob('nobody wants it');
  if (kind === 'retrying') throw new Error('later');
}

const connections = new Connections(url);
await connections.connect();
const handlers = new HandlerRegistry();
const handler = { queue: 'jobs', owner: 'test', run: act };
handlers.register({ ...handler, name: 'one' });
handlers.register({ ...handler, name: 'two', retry: { max: 5, interval: 3600 } });
const options = { name, concurrency: 5, lease: 2, shutdownTimeout: 20 };
const worker = new Worker(new RedisJobStore(connections), handlers, options, {});
async function stop() {
  await worker.stop();
  process.send({ counted: worker.figures().counted });
  await connections.close();
  process.disconnect();
}
process.once('SIGTERM', () => void stop());
await worker.start();
process.send('started');
