// A process that does one thing to many jobs, and says how far it is.
import { Queue } from '../../dist/queue/index.js';
import { Connections } from '../../dist/redis/index.js';
import { RedisJobStore } from '../../dist/store/index.js';

const [action, selection] = process.argv.slice(2);
const connections = new Connections(process.env.REDIS_URL);
await connections.connect();
const queue = new Queue('jobs', new RedisJobStore(connections));
process.send({ began: true });
process.send({ report: await queue[action](JSON.parse(selection)) });
await connections.close();
