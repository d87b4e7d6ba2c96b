// A process that does one thing to many jobs, which it is told of.
import { once } from 'node:events';
import { Queue } from '../../dist/queue/index.js';
import { Connections } from '../../dist/redis/index.js';
import { RedisJobStore } from '../../dist/store/index.js';

const action = process.argv[2];
// A list of ids may be too long for an argument.
const [{ selection }] = await once(process, 'message');
const connections = new Connections(process.env.REDIS_URL);
await connections.connect();
const queue = new Queue('jobs', new RedisJobStore(connections));
await queue[action](selection);
await connections.close();
process.disconnect();
