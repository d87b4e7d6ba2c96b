import { readFileSync } from 'node:fs';
import { Keyspace } from '../../lib/wire/keyspace.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const source = (name: string) =>
  readFileSync(new URL(`../../lib/store/scripts/include/${name}.lua`, import.meta.url), 'utf8');

/** What else a script knows of a queue. */
const NO_KEYS = ['levels', 'closes_later', 'is_plain', 'lanes'];

/** What no script touches: a plain command writes it. */
const IN_NO_SCRIPT = ['replicated'];

/** The names of the two lists of a queue's keys, as scripts spell them. */
const inLua = Array.from(source('queue').matchAll(/what == '(\w+)'/g), ([, name]) =>
  String(name),
).filter((name) => !NO_KEYS.includes(name));
const inTypeScript = (keys: object) =>
  Object.keys(keys)
    .filter((name) => name !== 'name' && !IN_NO_SCRIPT.includes(name))
    .map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));

/** Runs Lua with what the scripts include, for keys of this prefix and channels. */
async function evaluate(keyspace: Keyspace, code: string, ...given: string[]): Promise<unknown> {
  const { prefix, channels } = keyspace;
  const script = [
    'local given = ARGV',
    'local ARGV = { prefix = given[1], channels = given[2] }',
    source('jobs'),
    source('queue').replaceAll(/^--- @include .*$/gm, ''),
    code,
  ].join('\n');
  const values = [prefix, channels, ...given].map((value) => Buffer.from(value));
  return engine.client.eval(script, 0, ...values);
}

describe.each<[string, Keyspace]>([
  ['as usual', new Keyspace()],
  ['of another prefix', new Keyspace('app:{1}:')],
  ['of another database', new Keyspace('rq:', 7)],
])('names of keys and channels %s', (_, keyspace) => {
  it.each(['mails', 'a:b', 'wip:rq:', 'Größe 1', '%s%d'])(
    'are the same in scripts and in TypeScript: queue %p',
    async (name) => {
      const keys = keyspace.queue(name) as unknown as Readonly<Record<string, string>>;
      const names = inTypeScript(keys);
      expect(names.toSorted()).toEqual(inLua.toSorted());

      const found = await evaluate(
        keyspace,
        `local queue, names = queue_of({ name = given[3] }), {}
         for at = 4, #given do names[#names + 1] = queue[given[at]] end
         return names`,
        name,
        ...names,
      );

      expect(found).toEqual(
        names.map(
          (one) => keys[one.replaceAll(/_(\w)/g, (__, letter: string) => letter.toUpperCase())],
        ),
      );
    },
  );

  it('a job has the same in both', async () => {
    const id = 'a:b %s';
    expect(
      await evaluate(
        keyspace,
        'local keys = {} add_keys_of(given[3], keys) return { job_prefix, results_prefix, unpack(keys) }',
        id,
      ),
    ).toEqual([
      keyspace.jobPrefix,
      keyspace.resultsPrefix,
      keyspace.job(id),
      keyspace.results(id),
      keyspace.log(id),
      keyspace.dependencies(id),
    ]);
  });

  it('commands are sent to the channels on which a worker listens', async () => {
    for (const isOurs of [true, false]) {
      const subscriber = engine.redis.client();
      const heard: string[] = [];
      subscriber.on('message', (channel: string) => heard.push(channel));
      const channel = isOurs ? keyspace.commands('W') : keyspace.sharedCommands('W');
      await subscriber.subscribe(channel);
      await evaluate(keyspace, `${source('commands')}\nsend_command('W', 'stop-job', 'J')`);
      await subscriber.ping();
      expect(heard).toEqual([channel]);
      subscriber.disconnect();
    }
  });
});

it('what a script asks for and there is not is an error that names it', async () => {
  await expect(
    evaluate(new Keyspace(), "return queue_of({ name = 'jobs' }).strated"),
  ).rejects.toThrow('a queue has no key strated');
});
