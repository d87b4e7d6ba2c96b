// A child process of the demo, for machines without Redis: an in-memory server written in JavaScript
// that speaks Redis' protocol. It is slow, forgets everything and is not Redis: for a first look only.
import { createRedisMock } from 'js-redis-server';

const server = await createRedisMock({ compatibility: 'redis-7.0' });
process.on('disconnect', () => process.exit());
process.send({ url: server.url });
