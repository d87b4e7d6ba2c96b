// A process with a lease guard, which prints what the guard says first, and ends.
import { Connections } from '../../dist/redis/index.js';
import { RedisJobStore } from '../../dist/store/index.js';

const connections = new Connections(process.env.REDIS_URL);
await connections.connect();
const guard = new RedisJobStore(connections).leaseGuard(['jobs'], 'token', 150);

async function end(line) {
  console.log(line);
  await guard.stop();
  await connections.close();
}

guard.start({
  problem: (message) => void end(`problem: ${message}`),
  problemSolved: (_, message) => void end(`solved: ${message}`),
});
