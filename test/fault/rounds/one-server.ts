// Faults of processes, of the network and of one Redis. Each is a row by itself, and all of them are in the storm.
import { setTimeout as pause } from 'node:timers/promises';
import { eventually, within } from '../../support/wait.js';
import { type Command, CommandProxy } from '../command-proxy.js';
import { Scene } from '../scene.js';
import { TcpProxy } from '../tcp-proxy.js';
import type { Dice } from './dice.js';
import { type FaultCase, LEASE, type Party, type World } from './round.js';

interface Place {
  readonly scene: Scene;
  readonly proxy: TcpProxy;
}

type Harm = (party: Party, dice: Dice, place: Place) => Promise<void>;

const config = ({ scene }: Place, name: string, value: string) =>
  scene.client.config('SET', name, value);

/** Stands still as long as an outage takes: the time itself is the fault. */
const lasts = (dice: Dice, least: number, most: number) => pause(dice.between(least, most));

const HARMS: Readonly<Record<string, Harm>> = {
  'a worker process is killed (SIGKILL)': (party, dice) => party.kill(dice.pick(party.workers)),

  'a worker process stands still for longer than its lease (SIGSTOP)': async (party, dice) => {
    const worker = dice.pick(party.workers);
    worker.freeze();
    await lasts(dice, LEASE * 1200, LEASE * 2500);
    worker.thaw();
  },

  'the clock of a worker is set': async (party, dice) => {
    dice.pick(party.workers).shiftClock(dice.between(-3_600_000, 3_600_000));
  },

  'links are cut (CLIENT KILL)': async (_, dice, { scene }) => {
    await scene.cutLinks(dice.pick(['normal', 'pubsub']));
  },

  'the network swallows everything': async (_, dice, { proxy }) => {
    proxy.fallSilent();
    await lasts(dice, 500, 3000);
    proxy.heal();
  },

  'the network swallows the answers': async (_, dice, { proxy }) => {
    proxy.loseAnswers();
    await lasts(dice, 300, 2000);
    proxy.heal();
  },

  'Redis forgets its scripts (SCRIPT FLUSH)': async (_, dice, { scene }) => {
    for (let flush = 0; flush < 20; flush += 1) {
      await scene.client.script('FLUSH');
      await lasts(dice, 1, 10);
    }
  },

  'the memory of Redis is full (OOM)': async (_, dice, place) => {
    await config(place, 'maxmemory', '1');
    await lasts(dice, 300, 1500);
    await config(place, 'maxmemory', '0');
  },

  'Redis refuses all writes (NOREPLICAS)': async (_, dice, place) => {
    await config(place, 'min-replicas-to-write', '1');
    await lasts(dice, 300, LEASE * 2000);
    await config(place, 'min-replicas-to-write', '0');
  },

  'a script keeps Redis busy (BUSY)': async (_, dice, { scene }) => {
    scene.redis
      .client()
      .eval('while true do end', 0)
      .catch(() => undefined);
    await lasts(dice, 300, 1500);
    await eventually(() => scene.client.call('SCRIPT', 'KILL'), { what: 'the script to be ended' });
  },

  'Redis stands still for longer than a lease (SIGSTOP)': async (_, dice, { scene }) => {
    process.kill(scene.redis.pid, 'SIGSTOP');
    await lasts(dice, 300, LEASE * 2500);
    process.kill(scene.redis.pid, 'SIGCONT');
  },
};

async function open(args: string[] = []): Promise<World & Place> {
  const scene = await Scene.open({ args: ['--busy-reply-threshold', '50', ...args] });
  const proxy = await TcpProxy.start(scene.redis);
  return {
    scene,
    proxy,
    at: proxy.url,
    harm: async () => undefined,
    heal: async () => proxy.heal(),
    close: () => proxy.close(),
  };
}

/** One case for each. */
export const SINGLE_FAULTS: readonly FaultCase[] = Object.entries(HARMS).map(([name, harm]) => ({
  name,
  open: async () => {
    const world = await open();
    return { ...world, harm: (party, dice) => harm(party, dice, world) };
  },
}));

/** All of them, one after the other, at random. */
export const STORM: FaultCase = {
  name: 'all of the above, at random',
  open: async () => {
    const world = await open();
    const harm = (party: Party, dice: Dice) => dice.pick(Object.values(HARMS))(party, dice, world);
    return { ...world, harm };
  },
};

/** It writes each change to its disk before it answers, and comes back with all of them. */
export const KILLED_REDIS: FaultCase = {
  name: 'Redis is killed and started again (appendfsync always)',
  open: async () => {
    const scene = await Scene.open({ appendonly: true, args: ['--appendfsync', 'always'] });
    return {
      scene,
      at: scene.redis.url,
      pauses: [1000, 2500],
      harm: async (_, dice) => {
        await scene.redis.kill();
        await lasts(dice, 0, 1000);
        await scene.redis.restart();
      },
    };
  },
};

/** Each worker has a network of its own, which knows what it carries. */
export const KILLED_AT_COMMAND: FaultCase = {
  name: 'a worker process is killed as a command of it, or its answer, is on its way',
  open: async () => {
    const scene = await Scene.open();
    const proxies = new Map<string, CommandProxy>();
    return {
      scene,
      at: scene.redis.url,
      atOf: async (label) => {
        const proxy = await CommandProxy.start(scene.redis);
        proxies.set(label, proxy);
        return proxy.url;
      },
      harm: async (party, dice) => {
        const worker = dice.pick(party.workers);
        const wanted = dice.pick(COMMANDS);
        const moment = dice.pick(['before it arrives', 'before its answer arrives'] as const);
        const matches = ({ name }: Command) => name === wanted;
        const caught = proxies.get(worker.label)?.hold(moment, matches);
        if (caught) await within(caught, { what: `${wanted} to be sent`, timeout: 25_000 });
        await party.kill(worker);
      },
      close: async () => {
        await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
      },
    };
  },
};

const COMMANDS = ['exchange', 'exchange', 'exchange', 'renew', 'recover', 'beat'];
