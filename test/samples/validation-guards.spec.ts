import { runTour, TOUR_TIME_LIMIT } from './run-tour.js';

let output: string;

beforeAll(async () => {
  output = await runTour('02-validation-guards', 'as users do');
}, TOUR_TIME_LIMIT);

/** What the tour says became of an order. */
function attemptsOf(title: string): string[] {
  const lines = output.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`${title}: `)) + 1;
  const end = lines.findIndex((line, index) => index >= start && !line.startsWith('    '));
  return lines.slice(start, end).map((line) => line.trim());
}

it('a good order is finished, with a request-scoped provider that knows its job', () => {
  expect(attemptsOf('a good order')).toEqual(['finished: {"total":"€1,234.50"}']);
});

it('a pipe fails a bad payload without a retry, and the failure names the fields', () => {
  expect(attemptsOf('the pipe finds wrong fields')).toEqual([
    expect.stringMatching(/^failed: BadRequestException: .*month must look.*; months must be/),
  ]);
});

it('a guard fails a job without a retry', () => {
  expect(attemptsOf('the guard refuses the tenant')).toEqual([
    'failed: ForbiddenException: Forbidden resource',
  ]);
});

it('a filter turns an error into a retry, and another one into a result', () => {
  expect(attemptsOf('the filter asks for a retry')).toEqual([
    'retrying: RetryJob: too many calls, try again later',
    'finished: {"total":"$900.00"}',
  ]);
  expect(attemptsOf('the filter has a result')).toEqual([
    expect.stringContaining('finished: {"total":"nothing"'),
  ]);
});

it('an interceptor tells how long each attempt took', () => {
  expect(output).toMatch(/\[Duration\] makeReport \S+, attempt 2: \d+ ms/);
});
