// What Nest costs: the same no-op handler called by the engine alone, as a @Job method, with a ValidationPipe, and in a
// request-scoped provider.

import { processRun } from '../harness/process-run.mjs';
import { pairedRatio } from '../harness/statistics.mjs';

const KINDS = [
  { kind: 'outside', label: 'outside Nest' },
  { kind: 'bare', label: '@Job method' },
  { kind: 'validated', label: '@Job method with ValidationPipe, 2 fields' },
  { kind: 'request-scoped', label: '@Job method of a request-scoped provider' },
];

export default {
  name: 'nest-handler',
  title: 'The handler inside Nest, concurrency 100, result deleted',
  sides: ['nestjs-rq'],
  quickRounds: 1,

  variants(quick) {
    return KINDS.map(({ kind, label }) => ({
      key: kind,
      settings: { kind, jobs: quick ? 6_000 : 24_000, concurrency: 100, keep: false },
      rows: [{ measure: 'rate', label, unit: 'jobs/s' }],
    }));
  },

  async run(side, { kind, ...settings }) {
    if (kind === 'outside') return processRun(side, settings);
    const { openApplication } = await import('../adapters/nest-application.mjs');
    const openConsumer = async (options) =>
      side.stoppable(await openApplication({ kind, ...options }));
    return processRun(side, { ...settings, openConsumer });
  },

  verdicts({ perRound }) {
    const share = pairedRatio(perRound('bare', 'rate'), perRound('outside', 'rate'));
    if (!share) return [];
    return [
      {
        label: '@Job method against outside',
        value: `${(share * 100).toFixed(1)} %`,
        goal: '≥ 95 %',
        met: share >= 0.95,
      },
    ];
  },
};
