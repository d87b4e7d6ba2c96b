import { readWhen, rqCronOf } from '../../../lib/schedule/index.js';

const said = (when: Parameters<typeof readWhen>[0]) => rqCronOf(readWhen(when, 'when', undefined));

describe("a schedule in RQ's own list", () => {
  it.each([
    ['0 9 * * 1-5', '0 9 * * 1-5'],
    ['*/15 8-18/2 1,15 JAN-MAR MON,FRI', '*/15 8-18/2 1,15 JAN-MAR MON,FRI'],
    ['30 0 9 * * *', '0 9 * * * 30'],
    ['0 0 L * *', '0 0 L * *'],
    ['0 0 * * 5#2', '0 0 * * 5#2'],
    ['@Daily', '@daily'],
  ])('%s is %s there', (cron, expected) => {
    expect(said(cron)).toEqual({ interval: null, cron: expected });
  });

  it.each([
    ['90s', 90],
    ['1500ms', 2],
    ['1d', 86_400],
  ])('every %s is an interval of %s', (every, seconds) => {
    expect(said({ every })).toEqual({ interval: seconds, cron: null });
  });

  it.each(['0 0 15W * *', '0 0 * * 5L', '0 0 LW * *', '? * * * *', '0 0 * * MON#1,TUE#2'])(
    '%s, which croniter cannot read, is left out',
    (cron) => {
      expect(said(cron)).toBeUndefined();
    },
  );
});
