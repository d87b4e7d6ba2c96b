// A link that is made anew loses only what was under way: what is called from then on waits for the new one.
import { Link } from '../../lib/redis/link.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

let link: Link;

beforeEach(() => {
  link = new Link(
    { port: Number(new URL(engine.redis.url).port) },
    {
      purpose: 'test',
      commandTimeout: 5000,
      connectTimeout: 5000,
      queuesOffline: false,
      layout: 'shared',
      where: undefined,
      onError: () => undefined,
      onRefused: () => undefined,
      named: (refusal) => Promise.resolve(refusal),
    },
  );
});

afterEach(() => link.close());

it('a call right after a link was given up waits for the next one', async () => {
  const id = () => link.run('ask which link it is', (redis) => redis.client('ID'));
  const first = await id();
  for (let round = 0; round < 20; round += 1) {
    link.renew();
    expect(await id()).not.toBe(first);
  }
});
