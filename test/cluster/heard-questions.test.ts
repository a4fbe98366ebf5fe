import t from 'tap';
import { HeardQuestions } from '../../src/cluster/heard-questions.ts';

t.test('what was answered is remembered until nobody waits for it, in bounded memory', (t) => {
  // Room for two answers of 400 bytes, with what each takes besides.
  const heard = new HeardQuestions(1_400);
  const ask = (id: number, open: number, epoch = 1) => {
    const number = { from: 'a', epoch, id, open };
    const found = heard.look(number, undefined);
    if (found.kind === 'new') heard.take(number);
    return { kind: found.kind, number };
  };
  const first = ask(0, 0);
  t.equal(first.kind, 'new');
  t.equal(ask(0, 0).kind, 'working');
  heard.answered(first.number, Buffer.alloc(400));
  t.equal(ask(0, 0).kind, 'answered');
  // The oldest answers go when there is no room; that they were given is known still.
  for (const id of [1, 2]) heard.answered(ask(id, 0).number, Buffer.alloc(400));
  t.strictSame(
    [0, 1, 2].map((id) => ask(id, 0).kind),
    ['over', 'answered', 'answered'],
  );
  // 2 is the lowest that is waited for: a late copy of an earlier one is not done again.
  t.equal(ask(3, 2).kind, 'new');
  t.strictSame(
    [0, 1].map((id) => ask(id, 0).kind),
    ['over', 'over'],
  );
  t.equal(ask(2, 2).kind, 'answered');
  // Another process counts from the beginning.
  t.equal(ask(2, 0, 2).kind, 'new');
  t.throws(() => ask(4, 0, 1), { code: 'LEASE_LOST' });
  t.end();
});
