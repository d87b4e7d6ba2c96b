import { runTour, TOUR_TIME_LIMIT } from './run-tour.js';

let output: string;

beforeAll(async () => {
  output = await runTour('05-schedules');
}, TOUR_TIME_LIMIT);

it('each tick makes one report, in two processes and when one of them is killed', () => {
  expect(output).toContain('[process-1] has ended with SIGKILL');
  expect(output).toMatch(/=> \d+ reports, each second one/);
});

it('what is missed while all processes are away makes one report', () => {
  expect(output).toMatch(/\[process-3\] .* short report of /);
  expect(output).toContain('=> what was missed is one report');
});
