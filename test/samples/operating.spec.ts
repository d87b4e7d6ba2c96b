import { runTour, TOUR_TIME_LIMIT } from './run-tour.js';

let output: string;

beforeAll(async () => {
  output = await runTour('07-operating');
}, TOUR_TIME_LIMIT);

it.each([
  'reports: jobs could run',
  'reports: scheduled jobs are overdue',
  'payments: the oldest job',
])('tells when something begins: %s', (sentence) => {
  expect(output).toMatch(new RegExp(`firing {3}\\w+ +${sentence}`));
});

it.each([
  'no job waits for a worker any more',
  'retries pile up no more',
  'it is not paused any more',
])('and when it is over: %s', (sentence) => {
  expect(output).toMatch(new RegExp(`resolved \\w+ +.*${sentence}`));
});

it('shows what probes and Prometheus see', () => {
  expect(output).toMatch(/\/live: 200 .*"up"/);
  expect(output).toContain(
    '/metrics: rq_job_attempts_total{queue="payouts",job="pay",outcome="failed"} 1',
  );
});
