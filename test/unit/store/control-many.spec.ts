// What became of one job is read from counts that come in no order: servers differ in it.
import { replyOfOne } from '../../../lib/store/control-many.js';
import type { ControlSliceReply } from '../../../lib/store/scripts/control.js';

function replied(answers: ControlSliceReply['answers']): ControlSliceReply {
  const nothing = { looked: 1, total: 1, stay: 0, behind: '', unread: [], leftOver: false };
  return { ...nothing, answers, status: 'the status' };
}

it.each([
  [{ done: 1 }, 'done'],
  [{ done: 0, duplicate: 1 }, 'duplicate'],
  [{ duplicate: 1, done: 0 }, 'duplicate'],
  [{ kept: 1, done: 1 }, 'done'],
  [{ done: 1, kept: 1 }, 'done'],
  [{ already: 1 }, 'already'],
  [{ running: 1, done: 0 }, 'refused'],
  [{}, 'missing'],
])('of %j the answer is "%s"', (answers, answer) => {
  expect(replyOfOne(replied(answers))).toEqual({ answer, status: 'the status' });
});
