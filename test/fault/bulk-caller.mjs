// A process that does one thing to many jobs, and says how far it is.
import { Connections, Queue, RedisJobStore } from 'nestjs-rq';

const [action, selection] = process.argv.slice(2);
const connections = new Connections(process.env.REDIS_URL);
await connections.connect();
const queue = new Queue('jobs', new RedisJobStore(connections));
process.send({ began: true });
process.send({ report: await queue[action](JSON.parse(selection)) });
await connections.close();
