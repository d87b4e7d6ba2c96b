import { Failover } from '../../../lib/redis/failover.js';

/** When links are ended, if a write is refused every 10 milliseconds. */
function endings(failover: Failover, from: number, milliseconds: number): number[] {
  const times: number[] = [];
  for (let now = from; now < from + milliseconds; now += 10) {
    if (failover.mayLeave(now)) times.push(now - from);
  }
  return times;
}

describe('a server that is no primary', () => {
  it('is left at once, and then with longer and longer pauses', () => {
    expect(endings(new Failover(), 0, 24_000)).toEqual([
      0, 250, 750, 1750, 3750, 7750, 12_750, 17_750, 22_750,
    ]);
  });

  it('is left at once again when all was well for a while', () => {
    const failover = new Failover();
    endings(failover, 0, 24_000);
    expect(endings(failover, 60_000, 1000)).toEqual([0, 250, 750]);
  });
});
