import { runTour, TOUR_TIME_LIMIT } from './run-tour.js';

let output: string;

beforeAll(async () => {
  output = await runTour('06-order');
}, TOUR_TIME_LIMIT);

/** The lines of a part of the tour. */
function part(number: number): string[] {
  const lines = output.split('\n').filter((line) => !line.startsWith('[Nest]'));
  const start = lines.findIndex((line) => line.startsWith(`${number}. `)) + 1;
  const end = lines.findIndex((line, index) => index >= start && line === '');
  return lines.slice(start, end === -1 ? undefined : end).map((line) => line.trim());
}

it('a job gets the results of the three that it waits for, of which one has waited for a group', () => {
  expect(part(1)).toContainEqual(
    expect.stringMatching(/^sent: teapot and cup, label order-1, receipt of 25 EUR of \d{4}-/),
  );
});

it('a failed step cancels the one that needs it, and runs the one that makes good', () => {
  expect(part(2)).toEqual(
    expect.arrayContaining([
      'charge: failed',
      'dispatch: canceled',
      expect.stringMatching(/^because: .*order-2-charge/),
      'still reserved: 0',
    ]),
  );
});

it('a requeued step has the canceled one run after all', () => {
  expect(part(3)).toEqual([
    expect.stringMatching(/^sent: kettle, label order-2, receipt of 40 EUR/),
    'still reserved: 1',
  ]);
});

it('a failed job of a group cancels what waits for the group, and what waits for that', () => {
  expect(part(4)).toEqual(['articles: 2 of 3, 1 failed', 'pack: canceled', 'dispatch: canceled']);
});

it('a requeued job of a group has all of it run after all', () => {
  expect(part(5)).toEqual([
    expect.stringMatching(/^sent: tea and sugar and samovar, label order-3, receipt of 90 EUR/),
    'still reserved: 3',
  ]);
});
