import { ConsumerMode, type Mode } from '../../../../lib/worker/serve/consumer-mode.js';

type Step = 'start' | 'stop' | 'backOff' | 'search' | 'goOn' | 'close';

/** The mode after these steps. */
function after(...steps: Step[]): ConsumerMode {
  const mode = new ConsumerMode();
  for (const step of steps) mode[step]();
  return mode;
}

const STEPS: Step[] = ['start', 'stop', 'backOff', 'search', 'goOn', 'close'];

/** How each mode is reached, and where each step leads from it, in the order of `STEPS`. */
const TRANSITIONS: [Mode, Step[], Mode[]][] = [
  ['starting', [], ['serving', 'stopping', 'backing off', 'searching', 'starting', 'closed']],
  ['serving', ['start'], ['serving', 'stopping', 'backing off', 'searching', 'serving', 'closed']],
  [
    'stopping',
    ['start', 'stop'],
    ['stopping', 'stopping', 'backing off', 'searching', 'stopping', 'closed'],
  ],
  [
    'stopping',
    ['stop'],
    ['stopping', 'stopping', 'backing off', 'searching', 'stopping', 'closed'],
  ],
  [
    'backing off',
    ['start', 'backOff'],
    ['backing off', 'backing off', 'backing off', 'searching', 'serving', 'closed'],
  ],
  [
    'backing off',
    ['backOff'],
    ['backing off', 'backing off', 'backing off', 'searching', 'starting', 'closed'],
  ],
  [
    'backing off',
    ['start', 'backOff', 'stop'],
    ['backing off', 'backing off', 'backing off', 'searching', 'stopping', 'closed'],
  ],
  [
    'searching',
    ['start', 'backOff', 'search'],
    ['searching', 'searching', 'backing off', 'searching', 'serving', 'closed'],
  ],
  [
    'searching',
    ['start', 'backOff', 'search', 'stop'],
    ['searching', 'searching', 'backing off', 'searching', 'stopping', 'closed'],
  ],
  ['closed', ['start', 'close'], ['closed', 'closed', 'closed', 'closed', 'closed', 'closed']],
  [
    'closed',
    ['start', 'backOff', 'close'],
    ['closed', 'closed', 'closed', 'closed', 'closed', 'closed'],
  ],
  [
    'closed',
    ['start', 'backOff', 'search', 'close'],
    ['closed', 'closed', 'closed', 'closed', 'closed', 'closed'],
  ],
];

describe('the mode of a consumer', () => {
  it.each(TRANSITIONS)('"%s" (after %j) leads to %j', (mode, steps, next) => {
    expect(after(...steps).current).toBe(mode);
    expect(STEPS.map((step) => after(...steps, step).current)).toEqual(next);
  });

  it.each<[Mode, Step[], { exchanges: boolean; accepts: boolean }]>([
    ['starting', [], { exchanges: true, accepts: false }],
    ['serving', ['start'], { exchanges: true, accepts: true }],
    ['stopping', ['start', 'stop'], { exchanges: true, accepts: false }],
    ['backing off', ['start', 'backOff'], { exchanges: false, accepts: true }],
    ['backing off', ['start', 'stop', 'backOff'], { exchanges: false, accepts: false }],
    ['searching', ['start', 'backOff', 'search'], { exchanges: false, accepts: true }],
    ['searching', ['start', 'backOff', 'search', 'stop'], { exchanges: false, accepts: false }],
    ['closed', ['start', 'close'], { exchanges: false, accepts: false }],
  ])('"%s" (after %j): %j', (current, steps, { exchanges, accepts }) => {
    const mode = after(...steps);
    expect(mode.current).toBe(current);
    expect(mode.mayExchange).toBe(exchanges);
    expect(mode.acceptsJobs).toBe(accepts);
  });
});
