// A process that fires schedules in its code: as many as it is told, each second. It does nothing else, so that what it
// makes stays in the queue and can be counted.
import { Queue } from '../../dist/queue/index.js';
import { Connections } from '../../dist/redis/index.js';
import { RedisJobStore } from '../../dist/store/index.js';
import { Scheduler } from '../../dist/worker/index.js';

const { url, schedules } = JSON.parse(process.env.SCHEDULING);

const connections = new Connections(url);
await connections.connect();
const store = new RedisJobStore(connections);
const queue = new Queue('ticks', store);
const own = Array.from({ length: schedules }, (_, index) => {
  const given = { id: `s${index}`, when: { every: 1 }, name: 'tick', data: index };
  return queue.scheduleInCode({ ...given, options: { missed: 'all' } }, 'schedules of this test');
});
const scheduler = new Scheduler(store, own);
await scheduler.start();
process.send('ready');
process.on('message', async () => {
  await scheduler.stop();
  await connections.close();
  process.disconnect();
});
