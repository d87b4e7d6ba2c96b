import { Cluster } from 'ioredis';
import { readCluster } from '../../../lib/redis/cluster-input.js';
import { isClusterOption } from '../../../lib/redis/index.js';

const read = (cluster: unknown) => readCluster({ cluster }, 'here');

describe('a connection to a cluster', () => {
  it('is given by some of its nodes', () => {
    const { nodes, options } = read({
      nodes: ['redis://user:secret@one:7001', { host: 'two', port: 7002 }, 7003],
      options: { redisOptions: { tls: {} } },
    });
    expect(nodes).toEqual([
      { host: 'one', port: 7001 },
      { host: 'two', port: 7002 },
      { host: '127.0.0.1', port: 7003 },
    ]);
    expect(options).toEqual({ username: 'user', password: 'secret', tls: {} });
  });

  it('is taken over from an instance of ioredis', () => {
    const instance = new Cluster([{ host: 'one', port: 7001 }], {
      lazyConnect: true,
      redisOptions: { password: 'secret' },
      natMap: { 'two:1': { host: 'three', port: 2 } },
    });
    expect(isClusterOption(instance)).toBe(true);
    const { nodes, options, natMap, warnings } = readCluster(instance, 'here');
    expect(nodes).toEqual([{ host: 'one', port: 7001 }]);
    expect(options).toEqual({ password: 'secret' });
    expect(natMap).toEqual({ 'two:1': { host: 'three', port: 2 } });
    expect(warnings).toEqual([]);
  });

  it.each([
    [{}, 'connection.cluster.nodes must be a list of addresses'],
    [{ nodes: [] }, 'connection.cluster.nodes must be a list of addresses'],
    [{ nodes: [true] }, 'connection.cluster.nodes[0] must be { host, port } or a URL'],
    [{ nodes: [1], options: { nods: 1 } }, 'connection.cluster.options.nods is not an option'],
    [{ nodes: [1], options: { redisOptions: { db: 2 } } }, 'one database'],
    [{ nodes: [1], options: { redisOptions: { keyPrefix: 'a' } } }, 'keyPrefix cannot be used'],
  ])('is refused when it is %j', (cluster, message) => {
    expect(() => read(cluster)).toThrow(message);
  });

  it('says which options of a cluster are ours', () => {
    const { warnings } = read({ nodes: [1], options: { scaleReads: 'slave' } });
    expect(warnings).toEqual([expect.stringContaining('cluster.options.scaleReads is overruled')]);
  });
});
