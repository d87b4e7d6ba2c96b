import { ClusterSlots, nodeAddress } from '../../../lib/redis/cluster-slots.js';

const HERE = { host: 'here', port: 1 };

describe('the map of a cluster', () => {
  it('knows who has which slot, and who only copies', () => {
    const slots = new ClusterSlots();
    slots.update(
      [
        [0, 99, ['one', 7001, 'id'], ['two', 7002, 'id']],
        [100, 16_383, [null, 7003, 'id']],
      ],
      HERE,
    );
    expect(slots.masterOf(99)).toEqual({ host: 'one', port: 7001 });
    expect(slots.masterOf(100)).toEqual({ host: 'here', port: 7003 });
    expect(slots.all).toHaveLength(2);
    expect(slots.replicas).toEqual([{ host: 'two', port: 7002 }]);
  });

  it('notes what a node says of a slot', () => {
    const slots = new ClusterSlots();
    expect(slots.learn(5, { host: 'one', port: 1 })).toBe(true);
    expect(slots.learn(5, { host: 'one', port: 1 })).toBe(false);
    expect(slots.masterOf(5)).toEqual({ host: 'one', port: 1 });
    expect(slots.masterOf(6)).toBeUndefined();
  });

  it('reads addresses as nodes name each other', () => {
    expect(nodeAddress('10.0.0.1:7001', HERE)).toEqual({ host: '10.0.0.1', port: 7001 });
    expect(nodeAddress('::1:7001', HERE)).toEqual({ host: '::1', port: 7001 });
    expect(nodeAddress(':7001', HERE)).toEqual({ host: 'here', port: 7001 });
    expect(nodeAddress('nonsense', HERE)).toBeUndefined();
  });
});
