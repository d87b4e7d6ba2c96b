// What a worker with 5 empty queues asks of Redis in a minute: the commands that it sends (MONITOR shows which those
// are), and those that Redis runs, with the ones inside scripts (INFO commandstats).

import { setTimeout as sleep } from 'node:timers/promises';
import { atMost } from '../harness/goals.mjs';
import { commandStatistics } from '../harness/redis-server.mjs';

const QUEUES = ['idle-1', 'idle-2', 'idle-3', 'idle-4', 'idle-5'];
const MINUTE = 60;
const WINDOW = 5;

export default {
  name: 'idle-worker',
  title: 'Idle worker, 5 queues',
  rounds: 1,

  variants(quick) {
    const seconds = quick ? 15 : MINUTE;
    const note = quick ? ' (extrapolated from 15 s)' : '';
    return [
      {
        key: 'minute',
        settings: { seconds },
        rows: [
          {
            measure: 'perQueue',
            label: `commands sent per queue in ${WINDOW} s`,
            unit: '',
            goal: atMost(1, ''),
          },
          { measure: 'sent', label: `commands sent in 60 s${note}`, unit: '' },
          {
            measure: 'executed',
            label: `commands run in 60 s, with scripts' own${note}`,
            unit: '',
          },
        ],
      },
    ];
  },

  async run(side, { seconds }) {
    const consumer = await side.consumer({
      queues: QUEUES,
      concurrency: 10,
      keep: true,
      handle: () => undefined,
    });
    await consumer.start();
    await sleep(2000); // what is done once, at the start, is not counted

    const monitor = await side.redis.monitor();
    side.closeLater(() => monitor.disconnect());
    const ownCommands = new Set(['info', 'config', 'monitor']);
    let sent = 0;
    monitor.on('monitor', (time, [command], source) => {
      if (source !== 'lua' && !ownCommands.has(command.toLowerCase())) sent += 1;
    });
    await side.redis.config('RESETSTAT');
    sent = 0;
    await sleep(seconds * 1000);
    const counted = sent;
    const executed = (await commandStatistics(side.redis)).reduce(
      (sum, { calls }) => sum + calls,
      0,
    );
    await consumer.stop();

    const perMinute = MINUTE / seconds;
    return {
      sent: counted * perMinute,
      executed: executed * perMinute,
      perQueue: counted / QUEUES.length / (seconds / WINDOW),
    };
  },
};
