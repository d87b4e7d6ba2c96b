import { SLOTS, slotOf } from '../../../lib/wire/hash-slot.js';
import { Keyspace, neverThere } from '../../../lib/wire/keyspace.js';

describe('the slot of a key', () => {
  it.each([
    ['123456789', 12_739],
    ['foo', 12_182],
    ['somekey', 11_058],
    ['', 0],
  ])('is as the specification of the cluster says: %p', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });

  it('is that of its hash tag', () => {
    expect(slotOf('rq:{mail}:queue:mail')).toBe(slotOf('mail'));
    expect(slotOf('{user1000}.following')).toBe(slotOf('{user1000}.followers'));
    expect(slotOf('a{}b')).not.toBe(slotOf(''));
    expect(slotOf('a{b}{c}')).toBe(slotOf('b'));
    expect(slotOf('a{b')).toBeLessThan(SLOTS);
  });
});

describe('the names of a hash tag', () => {
  const keys = new Keyspace('app:', 3).ofTag('orders');

  it('are the names that we know, behind another prefix', () => {
    expect(keys.queue('mail').list).toBe('app:{orders}:queue:mail');
    expect(keys.queue('mail').high).toBe('app:{orders}:queue:mail!high');
    expect(keys.queue('mail').wake).toBe('app:{orders}:nrq@3:wake:mail');
    expect(keys.job('a')).toBe('app:{orders}:job:a');
  });

  it('all have one slot', () => {
    const names = Object.entries(keys.queue('mail{x}')).filter(([field]) => field !== 'name');
    const slots = names.map(([, name]) => slotOf(name as string));
    expect(new Set([...slots, slotOf(keys.job('a')), slotOf(keys.queues)]).size).toBe(1);
  });

  it('have one among them that never exists', () => {
    expect(neverThere(keys.queue('mail').list)).toBe('app:{orders}:nrq:never');
  });
});
