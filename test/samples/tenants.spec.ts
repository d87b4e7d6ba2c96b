import { runTour, TOUR_TIME_LIMIT } from './run-tour.js';

let output: string;

beforeAll(async () => {
  output = await runTour('08-tenants');
}, TOUR_TIME_LIMIT);

it('a tenant that floods the queue does not hold up the others, as the chart shows', () => {
  expect(output).toMatch(/big {3}\|[# ]{72}\|/);
  expect(output).toMatch(/all of `tiny` were done after: \d+ of 72 jobs/);
});

it('one tenant is slowed down at run time', () => {
  expect(output).toContain('running: 1');
  expect(output).toContain('the others wait for: concurrency');
});
