// Faults that end with another server in the place of the primary: by Sentinels, and behind an address that stays the same.
import type { Redis } from 'ioredis';
import { startRedis } from '../../support/redis-server.js';
import { SentinelGroup, follow } from '../../support/sentinels.js';
import { eventually } from '../../support/wait.js';
import { Scene } from '../scene.js';
import { TcpProxy } from '../tcp-proxy.js';
import { userArguments } from '../users.js';
import type { FaultCase, World } from './round.js';

const DURABLE = { replicas: 1, timeout: '300ms' } as const;

/**
 * @param how the primary goes
 * @param safe how many replicas must have a job (`durability`) and be there for each write (`min-replicas-to-write`)
 */
function bySentinels(name: string, how: 'killed' | 'planned', safe: number): FaultCase {
  return {
    name,
    open: async (): Promise<World> => {
      const args = [...userArguments(), '--min-replicas-to-write', String(safe)];
      const group = await SentinelGroup.start({ replicas: 2, args });
      const scene = Scene.at(await group.primary());
      return {
        scene,
        at: group.connection,
        ...(safe > 0 ? { durability: { ...DURABLE, replicas: safe } } : { mayLose: true }),
        rollsBack: true,
        pauses: [2000, 5000],
        harm: async (_, __, load) => {
          const old = await group.primary();
          if (how === 'killed') await old.kill();
          const primary = await (how === 'killed' ? group.switched(old) : group.handOver(old));
          await takesWrites(group.client(primary), safe);
          const served = await load
            .servedBy(group.client(primary))
            .catch(async (error: unknown) => {
              const last = [load.lastRejection, scene.journal.of('problem').at(-1)?.message];
              throw new Error(
                `${String(error)}: ${await group.views()}\n${last.map(String).join('\n')}\n` +
                  `acknowledged: ${load.acknowledged.length}`,
              );
            });
          if (how === 'killed') await old.restart();
          scene.client = group.client(primary);
          await group.agreed();
          return served;
        },
        close: () => group.stop(),
      };
    },
  };
}

/** With `min-replicas-to-write` it refuses all until it has them. */
export async function takesWrites(primary: Redis, replicas: number): Promise<void> {
  if (replicas === 0) return;
  await eventually(
    async () => {
      const info = await primary.info('replication');
      return Number(/min_slaves_good_slaves:(\d+)/.exec(info)?.[1]) >= replicas;
    },
    { what: 'the new primary to have its replicas', timeout: 30_000, every: 5 },
  );
}

const BEHIND_ADDRESS: FaultCase = {
  name: 'planned failover behind an address that stays the same',
  open: async () => {
    const scene = await Scene.open({ args: ['--repl-diskless-sync-delay', '0'] });
    const other = await startRedis({
      args: [...userArguments(), '--repl-diskless-sync-delay', '0'],
    });
    await follow(other, scene.redis);
    const address = await TcpProxy.start(scene.redis);
    const servers = [scene.redis, other];
    const clients = servers.map((server) => server.client());
    let primary = 0;
    return {
      scene,
      at: address.url,
      // Who has just left a server is in no hurry to leave the next one: failovers within ten seconds are taken for one.
      pauses: [10_500, 12_000],
      harm: async (_, __, load) => {
        const [old, next] = [primary, 1 - primary];
        const [from, to] = [clients[old]!, clients[next]!];
        // As a planned failover goes: no more writes, until the replica has all.
        await from.config('SET', 'min-replicas-to-write', '2');
        await eventually(
          async () => {
            const ends = await Promise.all([from, to].map((client) => client.info('replication')));
            const [sent, got] = ends.map((info) => /master_repl_offset:(\d+)/.exec(info)?.[1]);
            return sent === got;
          },
          { what: 'the replica to have all' },
        );
        await to.replicaof('NO', 'ONE');
        address.pointTo(servers[next]!);
        await from.replicaof(servers[next]!.host, servers[next]!.port);
        await from.config('SET', 'min-replicas-to-write', '0');
        primary = next;
        scene.client = to;
        const [served] = await Promise.all([
          load.servedBy(to),
          follow(servers[old]!, servers[next]!),
        ]);
        return served;
      },
      close: async () => {
        await address.close();
        await other.stop();
      },
    };
  },
};

export const FAILOVERS: readonly FaultCase[] = [
  bySentinels(
    'Sentinels: the primary is killed; `durability` and `min-replicas-to-write` 1 of 2',
    'killed',
    1,
  ),
  bySentinels('Sentinels: planned; `durability` and `min-replicas-to-write` 2 of 2', 'planned', 2),
  bySentinels('Sentinels: the primary is killed; without the two', 'killed', 0),
  bySentinels('Sentinels: planned; without the two', 'planned', 0),
  BEHIND_ADDRESS,
];
