import { runTour, TOUR_TIME_LIMIT } from './run-tour.js';

let output: string;

beforeAll(async () => {
  output = await runTour('04-worker-process');
}, TOUR_TIME_LIMIT);

it('the id of a request travels from the API to the worker with the job', () => {
  expect(output).toMatch(/\[api\] .* request red: job \S+ is to encode harbour\.mp4/);
  expect(output).toMatch(/\[worker-1\] .* request red: encoding harbour\.mp4, attempt 1/);
  expect(output).toContain('=> the result is for "red"');
});

it('a worker that gets SIGTERM finishes its job, and ends', () => {
  expect(output).toMatch(
    /\[worker-1\] .* request green: forest\.mp4 is ready[^]*\[worker-1\] has ended with SIGTERM/,
  );
  expect(output).toContain('=> worker-1 has finished it in its first attempt');
});

it('the job of a killed worker is finished by another one', () => {
  expect(output).toMatch(/\[worker-[23]\] has ended with SIGKILL/);
  expect(output).toMatch(/=> begun on (worker-[23]), finished on (?!\1)worker-[23]/);
});
